import HTTP
import JSON
import StorageEngine

/// The handlers of dumps: the state of all logs as text, and back.
struct DumpRoutes: Sendable {
    let services: Services

    /// One instant of all logs, or of those that are named.
    func dump(_ request: Request) throws -> Reply {
        let query = try QueryReader(request, allowed: ["logs", AfterPositions.parameter])
        let form = try Self.form(request)
        let names = try DumpOptions.names(query)
        _ = try logs(names)
        let after = try AfterPositions(query, services, log: nil)
        // It says what an answer would look like.
        if request.method == .head {
            return .now(Response(status: 200, contentType: form.rawValue, fields: [.noStore]))
        }
        return try services.reply(to: request, after: after, isLong: true) { _ in
            let cut = try services.engine.stateCut { try logs(names) }
            let source = DumpSource(cut, form, services)
            return Response(
                status: 200, contentType: form.rawValue, fields: [.noStore], body: .stream(source))
        }
    }

    /// - Throws: `log_not_found`.
    private func logs(_ names: [String]?) throws -> [Log] {
        guard let names else { return services.engine.logs(prefix: "", startAfter: nil, limit: .max).logs }
        return try names.map { try services.existingLog(named: $0) }
    }

    private static func form(_ request: Request) throws -> DumpForm {
        guard request.hasField("Accept") else { return .lines }
        let chosen = try Accept(request).choose(DumpForm.allCases.map(\.rawValue))
        return DumpForm(rawValue: chosen) ?? .lines
    }

    // MARK: Back

    /// Lines, or one document; a missing type is found out by looking.
    func loadBody(_ request: Request) throws -> BodyHandling {
        let options = try DumpOptions(request)
        return .streamed(DumpLoad(request, options, try Self.bodyForm(request), services))
    }

    /// `loadBody` hands the body to somebody who answers.
    func load(_ request: Request) throws -> Reply {
        throw Problem(.internal, "the body of a load was not streamed")
    }

    /// - Returns: nil when the request does not say.
    private static func bodyForm(_ request: Request) throws -> DumpForm? {
        guard let text = request.field("Content-Type"), !text.isEmpty else { return nil }
        let type = try MediaType(text)
        if type.essence == DumpForm.lines.rawValue { return .lines }
        if type.isForm { return nil }
        guard type.isJSON else {
            throw Problem.unsupportedMediaType(
                "\(Problem.quoted(text)) is no dump", accepts: "application/x-ndjson, application/json")
        }
        return .document
    }
}

/// `/v1/dump`.
func dumpRoutes(_ services: Services) -> [Route] {
    let dump = DumpRoutes(services: services)
    return [
        Route(.get, "/v1/dump", dump.dump),
        Route(.post, "/v1/dump", body: dump.loadBody, dump.load),
    ]
}
