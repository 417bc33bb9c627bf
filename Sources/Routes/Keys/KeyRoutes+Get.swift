import Glibc
import HTTP
import StorageEngine

extension KeyRoutes {
    static let getParameters = [AfterPositions.parameter]

    func get(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let key = try key(request)
        let query = try QueryReader(request, allowed: Self.getParameters)
        let preconditions = try Preconditions(request)
        if query.isEmpty {
            return try services.reply(to: request) { try Self.response(log, key, preconditions, $0) }
        }
        let after = try AfterPositions(query, services, log: log)
        return try services.reply(to: request, after: after) {
            try Self.response(log, key, preconditions, $0)
        }
    }

    private static func response(
        _ log: Log, _ key: [UInt8], _ preconditions: Preconditions?, _ archived: ArchivedValues
    ) throws -> Response {
        guard let record = try log.get(key: key.span.bytes, archived: archived) else {
            throw log.isDeleted ? EngineError.logDeleted : EngineError.keyNotFound
        }
        let revision = record.revision(in: log)
        switch preconditions?.verdict(revision: revision, modifiedAt: record.modifiedAtSeconds) {
        case .failed: throw EngineError.preconditionFailed(current: revision)
        case .notModified: return Response(status: 304, fields: fields(record, revision))
        case .proceed, nil: break
        }
        var response = Response(
            status: 200, contentType: record.contentType, fields: fields(record, revision),
            body: .pinned(.init(record.value, owner: record.owner)))
        response.mayBeCompressed = false
        return response
    }

    private static func fields(_ record: Record, _ revision: Revision) -> [HeaderField] {
        // The system's clock stamps `Date`, which ours may be ahead of.
        let modifiedAt = min(record.modifiedAtSeconds, Int64(time(nil)))
        var fields = [
            HeaderField("ETag", revision.entityTag),
            HeaderField("Last-Modified", HTTPDate.text(seconds: modifiedAt)),
            HeaderField("Cache-Control", "no-cache"),
        ]
        if record.deadline != Deadline.never {
            fields.append(HeaderField("Pyralog-Expires-At", String(record.deadline)))
        }
        return fields
    }
}
