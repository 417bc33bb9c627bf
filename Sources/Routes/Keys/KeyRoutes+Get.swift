import Glibc
import HTTP
import Platform
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
        case .notModified: return Response(status: 304, lines: lines(record, revision))
        case .proceed, nil: break
        }
        var response = Response(
            status: 200, contentType: record.contentType, lines: lines(record, revision),
            body: .pinned(.init(record.value, owner: record.owner)))
        response.mayBeCompressed = false
        return response
    }

    /// The names (80 bytes), a revision, a date, a deadline.
    private static let lineBytesMax = 192

    private static func lines(_ record: Record, _ revision: Revision) -> FieldLines {
        FieldLines(bytesMax: lineBytesMax) { text in
            text.write("\r\nETag: ")
            revision.writeEntityTag(to: &text)
            text.write("\r\nLast-Modified: ")
            // The system's clock stamps `Date`, which ours may be ahead of.
            HTTPDate.write(seconds: min(record.modifiedAtSeconds, Int64(time(nil))), to: &text)
            text.write("\r\nCache-Control: no-cache")
            if record.deadline != Deadline.never {
                text.write("\r\nPyralog-Expires-At: ")
                text.write(decimal: Int(record.deadline))
            }
        }
    }
}
