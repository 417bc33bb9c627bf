/// A batch as it was at one instant: its readable rows at that time, with the bitmaps of that time.
///
/// Holding it keeps the batch's memory, counted as pinned once its log has let it go.
package struct BatchView: @unchecked Sendable {
    // Sendable: the header is a copy, its bitmaps are never changed while held, the rows are committed.
    package let partition: Int
    let batch: Batch
    let header: BatchHeader
    package let rows: Range<Int>

    init(partition: Int, batch: Batch, header: BatchHeader, rows: Range<Int>) {
        self.partition = partition
        self.batch = batch
        self.header = header
        self.rows = rows
    }

    /// What others keep beside the batch, for as long as it lives.
    package var companion: Companion { batch.companion }

    /// Valid while this view is held.
    package var columns: BatchColumns { BatchColumns(header) }

    /// Whether the row can be read, and is the newest of its key: as it was at that instant, deadlines aside.
    package func isPresent(_ row: Int) -> Bool { header.isPresent(row) }
    package func isNewest(_ row: Int) -> Bool { header.isNewest(row) }

    package func record(_ row: Int) -> Record {
        let key = header.key(row)
        return Record(
            offset: Offset(header.offset(ofRow: row)), timestamp: header.timestamps[row],
            arrival: header.arrival(row), deadline: header.deadline(row), type: header.type(row),
            priority: header.priority(row), partition: partition,
            keyBytes: key ?? UnsafeRawBufferPointer(start: nil, count: 0), hasKey: key != nil,
            value: header.value(row), extrasBytes: header.extras(row), batch: batch)
    }
}
