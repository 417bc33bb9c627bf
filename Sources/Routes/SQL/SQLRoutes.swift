import HTTP
import JSON
import Platform
import SQL
import StorageEngine

/// The handlers of queries.
struct SQLRoutes: Sendable {
    let services: Services

    /// Texts of SQL are short; long lists of values are logs, or parameters.
    func body(_ request: Request) throws -> BodyHandling {
        _ = try SQLBody.Form(request)
        return .buffered(limit: services.limits.controlBodyBytesMax, what: "a query")
    }

    func post(_ request: Request) throws -> Reply {
        let query = try QueryReader(request, allowed: [AfterPositions.parameter])
        return try run(try SQLBody(request).query, request, query)
    }

    func get(_ request: Request) throws -> Reply {
        let query = try QueryReader(request, allowed: ["q", "timeout_ms", AfterPositions.parameter])
        guard let text = try query.text("q") else {
            throw Problem.invalidArgument("q", "is missing: it is the text of the query")
        }
        var asked = Query.Request(text)
        asked.timeoutMilliseconds = try query.integer("timeout_ms", in: SQLBody.timeouts)
        return try run(asked, request, query)
    }

    private func run(_ asked: Query.Request, _ request: Request, _ query: QueryReader) throws -> Reply {
        var asked = asked
        if request.hasField("Accept") {
            let type = try Accept(request).choose(ResultFormat.allCases.map(\.rawValue))
            asked.format = ResultFormat(rawValue: type) ?? .json
        }
        let after = try AfterPositions(query, services, log: nil)
        // It says what an answer would look like and never waits.
        if request.method == .head {
            return .now(Response(status: 200, contentType: asked.format.contentType, fields: [.noStore]))
        }
        let late = LateReply()
        let answer = SQLAnswer(asked, services, late)
        let reply = request.deferReply(finishesBeforeStop: true) { cancellation in
            answer.cancel(cancellation == .hungUp ? "the client has gone" : "the server is stopping")
            return nil
        }
        late.set(reply)
        answer.begin(after: after)
        return .later(reply)
    }

    // MARK: Queries that run

    func list(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        let now = services.clock.now()
        var json = JSONWriter()
        json.object { json in
            json.key("queries")
            json.array { json in
                for query in services.sql.queries {
                    json.object { json in
                        json.member("id", query.identifier)
                        json.member("state", query.phase.rawValue)
                        json.member("sql", String(query.request.text.prefix(1000)))
                        json.member("started_at", query.startedAt)
                        json.member("elapsed_ms", max(0, now - query.startedAt))
                        json.member("rows", query.rows)
                    }
                }
            }
        }
        return .now(.json(json))
    }

    func cancel(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        let identifier = String(decoding: try request.parameter(0), as: UTF8.self)
        guard services.sql.cancel(identifier, why: "it was cancelled by DELETE /v1/queries") else {
            throw Problem(.queryNotFound, "no query \(Problem.quoted(identifier)) waits or runs")
        }
        return .now(.noContent)
    }
}

extension HeaderField {
    static let noStore = HeaderField("Cache-Control", "no-store")
}
