import HTTP
import StorageEngine

/// The handlers of records: appended in bulk, read by place, waited for, tailed, trimmed.
struct RecordRoutes: Sendable {
    let services: Services

    /// Beyond it, a body is refused: a record costs memory beside its bytes.
    static let recordsPerCallMax = 1_000_000

    /// The partition that a query names, or the only one.
    ///
    /// - Throws: `invalid_argument` when it is left out and there are several.
    static func partition(_ query: QueryReader, of log: Log) throws -> Int {
        if let partition = try query.integer("partition", in: partitionRange) { return partition }
        guard log.partitionCount == 1 else {
            throw Problem.invalidArgument(
                "partition", "must be given: the log has partitions 0 to \(log.partitionCount - 1)")
        }
        return 0
    }

    static let partitionRange: ClosedRange<Int> = 0...(LogConfiguration.partitionsMax - 1)
}

/// Appending, reading, tailing and trimming of a log's records.
func recordRoutes(_ services: Services) -> [Route] {
    let records = RecordRoutes(services: services)
    return [
        Route(.post, "/v1/logs/{log}/records", body: records.appendBody, records.append),
        Route(.post, "/v1/logs/{log}/records:batch", body: records.batchBody, records.appendBatch),
        Route(.get, "/v1/logs/{log}/records", records.read),
        Route(.delete, "/v1/logs/{log}/records", records.trim),
    ]
}
