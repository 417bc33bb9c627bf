import StorageEngine

/// What one call has appended, in one step or in chunks.
struct AppendSummary: Sendable {
    struct Range: Sendable {
        let partition: Int
        let start: Offset
        /// Exclusive.
        var end: Offset
    }

    var count = 0
    var ranges: [Range] = []
    var requested = Acknowledgement.memory
    var achieved = Acknowledgement.memory
    /// A producer's repeated call: the ranges are the first answer's.
    var isDuplicate = false

    init() {}

    init(_ result: AppendResult) { add(result) }

    /// A chunk that follows the one before in its partition lengthens that range.
    mutating func add(_ result: AppendResult) {
        count += result.count
        requested = result.requested
        achieved = result.achieved
        isDuplicate = result.isDuplicate
        for range in result.ranges {
            if let index = ranges.lastIndex(where: { $0.partition == range.partition }),
                ranges[index].end == range.start
            {
                ranges[index].end = range.end
            } else {
                ranges.append(Range(partition: range.partition, start: range.start, end: range.end))
            }
        }
    }
}
