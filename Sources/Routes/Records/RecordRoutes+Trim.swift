import HTTP
import StorageEngine

extension RecordRoutes {
    /// Drops everything before an offset. Trimming what is gone already is no error.
    func trim(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let query = try QueryReader(request, allowed: ["partition", "before_offset", "ack"])
        let wanted = try query.acknowledgement()
        let partition = try Self.partition(query, of: log)
        guard let before = try query.integer("before_offset", in: 0...Int64.max) else {
            throw Problem.invalidArgument("before_offset", "is missing: the first offset that stays")
        }
        return try log.trim(partition: partition, before: Offset(before), acknowledgement: wanted)
            .reply(to: request) { .noContent }
    }
}
