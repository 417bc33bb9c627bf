/// What tells a batch of a cut from others, and where its rows lie: side by side for all of them, where looking at each
/// view would wait for memory.
package struct BatchMark: Sendable, BitwiseCopyable {
    /// Of the batch: no other ever has the same.
    package let serial: UInt64
    /// Readable rows, and those before them.
    package let rowsEnd: Int
    package let rowCount: Int
    package let firstOffset: Int64
    package let lastOffset: Int64
    package let maxTimestamp: Int64

    package var offsets: ClosedRange<Int64> { firstOffset...lastOffset }

    /// - Parameter rows: those that can be read, at least one.
    init(_ header: borrowing BatchHeader, _ rows: Range<Int>) {
        serial = header.serial
        rowsEnd = rows.upperBound
        rowCount = rows.count
        firstOffset = header.offset(ofRow: rows.lowerBound)
        lastOffset = header.offset(ofRow: rows.upperBound - 1)
        maxTimestamp = header.maxTimestamp
    }
}

extension Cut.Part {
    /// Of each batch of the log, in order.
    package var marks: [BatchMark] {
        chosen?.marks ?? batches.indices.map { BatchMark(batches[$0].header, batches[$0].rows) }
    }
}
