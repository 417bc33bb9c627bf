import StorageEngine

/// Where a read of records begins and how far it goes.
struct ReadQuery: Sendable {
    static let parameters = [
        "partition", "offset", "timestamp", "last", "limit", "max_bytes", "wait_ms", "clamp",
        AfterPositions.parameter,
    ]
    static let limitDefault = 100
    static let bytesMax = 64 * 1024 * 1024
    private static let limitRange = 1...10_000
    private static let waitRange: ClosedRange<Int64> = 0...60_000

    let start: ReadStart
    /// Nil when it was not given.
    let limit: Int?
    let maxBytes: Int
    let waitMilliseconds: Int64
    let clamps: Bool

    init(_ query: QueryReader) throws {
        let starts = ["offset", "timestamp", "last"].filter { query.has($0) }
        guard starts.count <= 1 else {
            throw Problem.invalidArgument(starts[1], "cannot be combined with \(starts[0]): give one of them")
        }
        if let offset = try query.integer("offset", in: 0...Int64.max) {
            start = .offset(Offset(offset))
        } else if let timestamp = try query.timestamp("timestamp") {
            start = .timestamp(timestamp)
        } else if let count = try query.integer("last", in: 0...Int.max) {
            start = .last(count)
        } else {
            start = .firstKept
        }
        limit = try query.integer("limit", in: Self.limitRange)
        maxBytes = try query.integer("max_bytes", in: 1...Self.bytesMax) ?? Self.bytesMax
        waitMilliseconds = try query.integer("wait_ms", in: Self.waitRange) ?? 0
        clamps = try query.boolean("clamp") ?? false
    }

    /// - Parameter archived: what becomes of records in the archive.
    func read(
        _ log: Log, partition: Int, from start: ReadStart? = nil, archived: ArchivedValues
    ) throws(EngineError) -> ReadResult {
        try log.read(
            partition: partition, from: start ?? self.start, limit: limit ?? Self.limitDefault,
            maxBytes: maxBytes, clamps: clamps, archived: archived)
    }
}
