import HTTP
import JSON
import Snapshots

/// The handlers of snapshots.
struct SnapshotRoutes: Sendable {
    let services: Services

    func body(_ request: Request) throws -> BodyHandling {
        .buffered(limit: services.limits.controlBodyBytesMax, what: "a control body")
    }

    func take(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var reader = try ObjectReader(try request.controlBody(whenEmpty: .object([])))
        let location = try reader.string("location")
        let logs = try LoadBody.logs(&reader)
        try reader.finish()
        return try services.storeReply(to: request) { [services] in
            let job = try services.snapshots.take(location: location, logs: logs)
            return .accepted("/v1/snapshots/\(job.name)") { JobDocument.write(SnapshotInfo(job), to: &$0) }
        }
    }

    func list(_ request: Request) throws -> Reply {
        let location = try QueryReader(request, allowed: ["location"]).text("location")
        return try services.storeReply(to: request) { [services] in
            let snapshots = try services.snapshots.snapshots(at: location)
            var json = JSONWriter()
            json.object { json in
                json.key("snapshots")
                json.array { json in for info in snapshots { JobDocument.write(info, to: &json) } }
            }
            return .json(json)
        }
    }

    func get(_ request: Request) throws -> Reply {
        let location = try QueryReader(request, allowed: ["location"]).text("location")
        let name = try name(request)
        return try services.storeReply(to: request) { [services] in
            let info = try services.snapshots.snapshot(name, at: location)
            var json = JSONWriter()
            JobDocument.write(info, to: &json)
            return .json(json)
        }
    }

    func delete(_ request: Request) throws -> Reply {
        let location = try QueryReader(request, allowed: ["location"]).text("location")
        let name = try name(request)
        return try services.storeReply(to: request) { [services] in
            try services.snapshots.delete(name, at: location)
            return .noContent
        }
    }

    func restore(_ request: Request) throws -> Reply {
        let location = try QueryReader(request, allowed: ["location"]).text("location")
        let name = try name(request)
        var reader = try ObjectReader(try request.controlBody(whenEmpty: .object([])))
        let options = try LoadBody.options(&reader, withMode: true)
        try reader.finish()
        return try services.storeReply(to: request) { [services] in
            .begun(try services.snapshots.restore(name, at: location, options), "restores")
        }
    }

    private func name(_ request: Request) throws -> String {
        String(decoding: try request.parameter(0), as: UTF8.self)
    }
}

/// The handlers of what loads snapshots: restores and replays.
struct LoadRoutes: Sendable {
    let services: Services
    let kind: Job.Kind
    /// The last part of the path.
    let path: String

    /// The newest snapshot at a location, or one of them.
    func restore(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var reader = try ObjectReader(try request.controlBody(whenEmpty: .object([])))
        let location = try reader.string("location")
        let name = try reader.string("snapshot")
        let options = try LoadBody.options(&reader, withMode: true)
        try reader.finish()
        return try services.storeReply(to: request) { [services, path] in
            .begun(try services.snapshots.restore(name, at: location, options), path)
        }
    }

    func replay(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var reader = try ObjectReader(try request.controlBody())
        let source = try reader.string("source")
        let from = try reader.timestamp("from") ?? .min
        let to = try reader.timestamp("to") ?? .max
        guard from < to else { throw Problem.invalidArgument("to", "must be later than from") }
        let options = try LoadBody.options(&reader, withMode: false)
        try reader.finish()
        return try services.storeReply(to: request) { [services, path] in
            .begun(try services.snapshots.replay(from: source, from..<to, options), path)
        }
    }

    func list(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var json = JSONWriter()
        json.object { json in
            switch kind {
            case .restore: json.key("restores")
            case .export: json.key("exports")
            case .replay, .snapshot: json.key("replays")
            }
            json.array { json in for job in services.snapshots.all(kind) { JobDocument.write(job, to: &json) }
            }
        }
        return .now(.json(json))
    }

    func get(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var json = JSONWriter()
        JobDocument.write(try job(request), to: &json)
        return .now(.json(json))
    }

    /// It ends soon and leaves nothing, unless it is complete already.
    func cancel(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        try job(request).cancel()
        return .now(.noContent)
    }

    private func job(_ request: Request) throws -> Job {
        let name = String(decoding: try request.parameter(0), as: UTF8.self)
        guard let job = services.snapshots.job(kind, named: name) else {
            throw Problem(
                .snapshotNotFound,
                "there is no \(kind.rawValue) \(Problem.quoted(name)); the server knows the last ones")
        }
        return job
    }
}

extension Response {
    fileprivate static func begun(_ job: Job, _ path: String) -> Response {
        .accepted("/v1/\(path)/\(job.name)") { JobDocument.write(job, to: &$0) }
    }

    static func accepted(_ location: String, _ write: (inout JSONWriter) -> Void) -> Response {
        var json = JSONWriter()
        write(&json)
        return .json(json, status: 202, fields: [HeaderField("Location", location)])
    }
}

extension Services {
    /// Answers from a thread that may wait for a store.
    func storeReply(
        to request: Request, _ respond: @escaping @Sendable () throws -> Response
    ) throws -> Reply {
        let reply = request.deferReply { _ in nil }
        try storeWorkers.run { reply.complete(respond) }
        return .later(reply)
    }
}
