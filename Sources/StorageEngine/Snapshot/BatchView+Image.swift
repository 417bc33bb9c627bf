import Platform

extension BatchView {
    /// What is the same as long as its rows are.
    package struct Identity: Hashable, Sendable {
        let serial: UInt64
        let rows: Int
        let endOfRange: Int64
    }

    /// How many of the rows can be read, and are the newest of their keys: bits are only ever cleared.
    package struct LiveCounts: Equatable, Sendable {
        let present: Int
        let newest: Int

        /// Whether all of so many rows live.
        package func isWhole(_ rows: Int) -> Bool { present == rows && newest == rows }
    }

    /// - Parameter tail: of the partition at that instant.
    package func identity(tail: Int64) -> Identity {
        Identity(
            serial: header.serial, rows: rows.upperBound, endOfRange: min(header.endOfRange, tail))
    }

    package var liveCounts: LiveCounts {
        let all = 0..<rows.upperBound
        return LiveCounts(
            present: header.present?.count(in: all) ?? all.count,
            newest: header.newest?.count(in: all) ?? all.count)
    }

    /// All of its rows live.
    package var isWhole: Bool { liveCounts.isWhole(rows.upperBound) }

    package var rowCount: Int { rows.upperBound }
    /// From its first row to one past the last offset that it stands for.
    package func offsets(tail: Int64) -> Range<Int64> { header.base..<min(header.endOfRange, tail) }
    package var timestamps: ClosedRange<Int64> { header.timestamps(ofFirst: rows.upperBound) }

    /// About as long as its image.
    package var imageBytes: Int {
        let end = rows.upperBound
        return BatchImage.headerBytes + Int(header.valueOffsets[end])
            + (header.keyOffsets.map { Int($0[end]) } ?? 0)
            + (header.extrasOffsets.map { Int($0[end]) } ?? 0) + end
            * ColumnPlan.fixedBytes(header.usedColumns)
    }

    /// Appends all rows up to its last readable one, from the first of the batch on.
    package func encodeRows(tail: Int64, to buffer: ByteBuffer) {
        BatchImage.encode(
            header, rows: 0..<rows.upperBound, endOfRange: min(header.endOfRange, tail), .cacheLines,
            to: buffer)
    }

    /// Appends which of those rows live.
    package func encodeDeadRows(to buffer: ByteBuffer) {
        DeadRowsImage.encode(
            present: header.present, newest: header.newest, rows: rows.upperBound, to: buffer)
    }
}

extension Batch {
    /// Of all its rows; it is sealed.
    var timestamps: ClosedRange<Int64> { header.pointee.timestamps(ofFirst: header.pointee.rows) }
}

extension BatchHeader {
    /// The earliest and the latest. - Precondition: there are as many rows, at least one, and they are committed.
    fileprivate func timestamps(ofFirst count: Int) -> ClosedRange<Int64> {
        var earliest = timestamps[0]
        var latest = earliest
        for row in 1..<max(1, count) {
            earliest = min(earliest, timestamps[row])
            latest = max(latest, timestamps[row])
        }
        return earliest...latest
    }
}
