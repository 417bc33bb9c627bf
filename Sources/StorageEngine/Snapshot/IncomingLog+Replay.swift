import Platform

/// Which records are loaded again, and how the log looked then.
package struct ReplayRange: Sendable {
    package let timestamps: Range<Int64>
    /// What had a deadline by then is gone; what had one later stays, though that may be past now.
    package let asOf: Int64
    package let now: Int64

    package init(timestamps: Range<Int64>, now: Int64) {
        self.timestamps = timestamps
        self.now = now
        asOf = min(timestamps.upperBound, now)
    }

    /// A row whose deadline lies in the past is not seen, and hides older ones of its key.
    fileprivate func deadline(_ original: Int64) -> Int64 {
        original > asOf && original <= now ? Deadline.never : original
    }
}

extension IncomingLog {
    /// Appends what belongs to the range of a batch that was kept, with new offsets.
    /// - Parameters: as of `append(rows:dead:to:)`.
    ///   - first: what lies before it was not readable any more.
    /// - Returns: how many records that are.
    package func replay(
        rows: UnsafeRawBufferPointer, dead: UnsafeRawBufferPointer?, to partition: Int, from first: Int64 = 0,
        _ range: ReplayRange
    ) throws(IncomingFailure) -> Int {
        let image = try Self.image(rows)
        let present = try dead.flatMap { bytes throws(IncomingFailure) in
            try Self.bitmaps(bytes, image).present
        }
        guard (0..<partitionCount).contains(partition) else {
            throw .damaged("holds a batch of partition \(partition), which its log does not have")
        }
        var next = tail(of: partition)
        var chosen: [IncomingRow] = []
        for index in 0..<image.rows {
            guard range.timestamps.contains(image.timestamps[index]), present?.contains(index) ?? true,
                image.offset(ofRow: index) >= first
            else { continue }
            let row = image.row(index)
            chosen.append(
                IncomingRow(
                    offset: next, key: row.key, value: row.value, extras: row.extras,
                    timestamp: row.timestamp, arrival: row.arrival, deadline: range.deadline(row.deadline),
                    type: row.type, priority: row.priority))
            next += 1
        }
        try append(chosen, to: partition)
        return chosen.count
    }
}
