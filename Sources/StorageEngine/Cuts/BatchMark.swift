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

    init(_ view: borrowing BatchView) {
        serial = view.header.serial
        rowsEnd = view.rows.upperBound
        rowCount = view.rows.count
        firstOffset = view.header.offset(ofRow: view.rows.lowerBound)
        lastOffset = view.header.offset(ofRow: view.rows.upperBound - 1)
        maxTimestamp = view.header.maxTimestamp
    }
}

extension Cut.Part {
    /// Of each batch, in order.
    package var marks: [BatchMark] { batches.indices.map { BatchMark(batches[$0]) } }
}
