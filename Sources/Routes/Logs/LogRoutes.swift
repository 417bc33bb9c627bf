import HTTP
import JSON
import Platform
import StorageEngine

/// The handlers of logs: create, look at, alter, delete, list.
struct LogRoutes: Sendable {
    let services: Services

    /// A log that appears or goes between two looks is looked at again; more often than this only by design.
    private static let attemptsMax = 8

    func controlBody(_ request: Request) throws -> BodyHandling {
        .buffered(limit: services.limits.controlBodyBytesMax, what: "a control body")
    }

    func put(_ request: Request) throws -> Reply {
        let name = try request.logName()
        _ = try QueryReader(request, allowed: [])
        let given = try request.controlBody(whenEmpty: .object([]))
        for _ in 0..<Self.attemptsMax {
            if let log = services.engine.log(named: name) { return .now(try existing(log, given)) }
            do {
                let wanted = try LogConfiguration(json: given, base: services.logDefaults)
                let (log, isCreated, durable) = try services.engine.createLog(named: name, wanted)
                return try durable.reply(to: request) {
                    Self.description(
                        of: log, status: isCreated ? 201 : 200,
                        fields: isCreated ? [HeaderField("Location", "/v1/logs/\(name)")] : [])
                }
            } catch EngineError.logExists {
                continue
            }
        }
        throw Problem.overloaded("the log is being created and deleted by others")
    }

    /// 200 when the fields that are given equal those of the log.
    private func existing(_ log: Log, _ given: JSONValue) throws -> Response {
        let current = log.configuration
        let wanted = try LogConfiguration(json: given, base: current)
        if wanted == current { return Self.description(of: log) }
        try wanted.validate()
        throw EngineError.logExists(log: log.name, differences: wanted.json.differences(from: current.json))
    }

    func get(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        return .now(Self.description(of: try services.existingLog(request)))
    }

    func patch(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        _ = try QueryReader(request, allowed: [])
        try request.requirePatchType()
        let patch = try ControlJSON.parse(request.body.bytes)
        guard case .object = patch else { throw Problem(.invalidArgument, "the patch must be a JSON object") }
        let current = log.configuration.json
        try Self.checkNames(of: patch, known: current)
        let merged = current.merged(with: patch)
        var wanted = try LogConfiguration(json: merged)
        if patch["durability"]?["ack"] == nil { wanted.followMode(of: log.configuration) }
        if log.configuration.changesMode(to: wanted) {
            let (changing, isDone) = try services.engine.changeMode(ofLog: log.name, to: wanted)
            return .now(Self.description(of: changing, status: isDone ? 200 : 202))
        }
        let (updated, durable) = try services.engine.updateLog(named: log.name, wanted)
        return try durable.reply(to: request) { Self.description(of: updated) }
    }

    /// Refuses strangers in a merge patch, `null` ones too, which merging would pass over in silence.
    private static func checkNames(of patch: JSONValue, known: JSONValue, path: String = "") throws(Problem) {
        guard case .object(let changes) = patch, case .object(let members) = known, path != "schema." else {
            return
        }
        for change in changes {
            guard let member = members.first(where: { $0.name == change.name }) else {
                throw .unknownField(path + change.name, allowed: members.map { path + $0.name })
            }
            try checkNames(of: change.value, known: member.value, path: "\(path)\(change.name).")
        }
    }

    func delete(_ request: Request) throws -> Reply {
        let name = try request.logName()
        _ = try QueryReader(request, allowed: [])
        return try services.engine.deleteLog(named: name).reply(to: request) { .noContent }
    }

    func list(_ request: Request) throws -> Reply {
        let query = try QueryReader(request, allowed: ["prefix", "start_after", "limit"])
        let page = services.engine.logs(
            prefix: try query.text("prefix") ?? "",
            startAfter: try query.text("start_after"),
            limit: try query.integer("limit", in: 1...1000) ?? 100)
        let logs = page.logs.map { log in JSONValue.object([.init("name", .string(log.name))]) }
        return .now(.json(.object([.init("logs", .array(logs)), .init("has_more", .bool(page.hasMore))])))
    }
}

extension LogRoutes {
    private static func description(of log: Log, status: Int = 200, fields: [HeaderField] = []) -> Response {
        let partitions = log.statistics().enumerated().map { index, statistics in
            JSONValue.object([
                .init("partition", .integer(Int64(index))),
                .init("first", statistics.first),
                .init("tail", statistics.tail),
                .init("records", .integer(Int64(statistics.records))),
                .init("live_records", .integer(Int64(statistics.liveRecords))),
                .init("keys", .integer(Int64(statistics.keys))),
                .init("bytes", bytes(statistics)),
                .init("evicted", .integer(Int64(statistics.evicted))),
                .init("expired", .integer(Int64(statistics.expired))),
            ])
        }
        var members: [JSONValue.Member] = [
            .init("name", .string(log.name)),
            .init("config", log.configuration.json),
            .init("stats", .object([.init("partitions", .array(partitions))])),
            .init("epoch", .string(log.epoch.text)),
        ]
        if let transition = log.transition {
            members.append(.init("transition", Self.transition(transition)))
        }
        return .json(.object(members), status: status, fields: fields)
    }

    private static func bytes(_ statistics: PartitionStatistics) -> JSONValue {
        .object([
            .init("memory", .integer(Int64(statistics.memoryBytes))),
            .init("disk", .integer(Int64(statistics.diskBytes))),
            .init("s3", .integer(Int64(statistics.archivedBytes))),
        ])
    }

    private static func transition(_ transition: ModeTransition) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("from", .string(transition.from.rawValue)), .init("to", .string(transition.to.rawValue)),
            .init("state", .string(transition.failure == nil ? "running" : "failed")),
            .init("started_at", .integer(transition.startedAt)),
        ]
        if let failure = transition.failure { members.append(.init("error", .string(failure))) }
        return .object(members)
    }
}
