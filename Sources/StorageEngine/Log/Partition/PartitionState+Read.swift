import Platform

// Reading committed rows. Nothing here changes anything.
extension PartitionState {
    /// Records from `start` on, holes skipped. At least one record comes if there is one, whatever `maxBytes` says.
    func read(
        from start: Int64, limit: Int, maxBytes: Int, partition: Int, now: () -> Int64
    ) -> (records: [Record], next: Int64, hasStubs: Bool) {
        var records: [Record] = []
        var hasStubs = false
        var bytes = 0
        var knownNow: Int64?
        var position = list.position(of: start)
        while position < list.count {
            let header = list.headers[position]
            var row = header.pointee.firstRow(atOrAbove: start)
            let end = header.pointee.firstRow(atOrAbove: committed)
            if header.pointee.isStub { hasStubs = true }
            while row < end {
                if header.pointee.isPresent(row), !isExpired(header, row, &knownNow, now) {
                    let size = header.pointee.value(row).count + (header.pointee.key(row)?.count ?? 0)
                    if records.count == limit || (bytes + size > maxBytes && !records.isEmpty) {
                        return (records, header.pointee.offset(ofRow: row), hasStubs)
                    }
                    bytes += size
                    records.append(list.batches[position].record(row, partition: partition))
                }
                row += 1
            }
            position += 1
        }
        return (records, max(start, committed), hasStubs)
    }

    private func isExpired(
        _ header: UnsafeMutablePointer<BatchHeader>, _ row: Int, _ knownNow: inout Int64?, _ now: () -> Int64
    ) -> Bool {
        let deadline = header.pointee.deadline(row)
        if deadline == Deadline.never { return false }
        let time = knownNow ?? now()
        knownNow = time
        return deadline <= time
    }

    /// The lowest readable offset whose timestamp is at or after `timestamp`; the tail when there is none.
    func offset(atOrAfter timestamp: Int64) -> Int64 {
        var position = list.position(of: first)
        while position < list.count {
            let header = list.headers[position]
            if header.pointee.maxTimestamp >= timestamp {
                let end = header.pointee.firstRow(atOrAbove: committed)
                for row in header.pointee.firstRow(
                    atOrAbove: first)..<max(end, header.pointee.firstRow(atOrAbove: first))
                where header.pointee.isPresent(row) && header.pointee.timestamps[row] >= timestamp {
                    return header.pointee.offset(ofRow: row)
                }
            }
            position += 1
        }
        return committed
    }

    /// Where the last `count` readable records begin.
    func offset(ofLast count: Int, now: Int64) -> Int64 {
        guard count > 0 else { return committed }
        var remaining = count
        var position = list.count
        while position > 0 {
            position -= 1
            let header = list.headers[position]
            var row = header.pointee.firstRow(atOrAbove: committed)
            let lowest = header.pointee.firstRow(atOrAbove: first)
            while row > lowest {
                row -= 1
                guard header.pointee.isPresent(row), header.pointee.deadline(row) > now else { continue }
                remaining -= 1
                if remaining == 0 { return header.pointee.offset(ofRow: row) }
            }
        }
        return first
    }

    /// Counting a reference waits for the batch's memory, and holds up what is behind it: it is asked for this much earlier.
    private static let viewsAhead = 8

    /// Consistent views of all batches; bitmaps are cloned before they change while a view is held.
    func addViews(partition: Int, to views: inout [BatchView]) {
        views.reserveCapacity(views.count + list.count)
        for position in 0..<list.count {
            list.prefetch(position + Self.viewsAhead)
            if let rows = readableRows(position) { views.append(view(position, rows, partition)) }
        }
    }

    /// The same of chosen ones only, with marks of all. The others are not touched but for the beginning of their headers.
    func addViews(
        partition: Int, to views: inout [BatchView], where choice: Cut.Choice, marks: inout [BatchMark],
        places: inout [Int]
    ) {
        marks.reserveCapacity(marks.count + list.count)
        for position in 0..<list.count {
            list.prefetchMark(position + Self.viewsAhead)
            guard let rows = readableRows(position) else { continue }
            let mark = BatchMark(list.headers[position].pointee, rows)
            if choice(marks.count, mark) {
                places.append(marks.count)
                views.append(view(position, rows, partition))
            }
            marks.append(mark)
        }
    }

    /// Nil: none of its rows.
    private func readableRows(_ position: Int) -> Range<Int>? {
        let header = list.headers[position]
        let start = header.pointee.firstRow(atOrAbove: first)
        let end = header.pointee.firstRow(atOrAbove: committed)
        return start < end ? start..<end : nil
    }

    private func view(_ position: Int, _ rows: Range<Int>, _ partition: Int) -> BatchView {
        BatchView(
            partition: partition, batch: list.batches[position], header: list.headers[position].pointee,
            rows: rows)
    }

    func statistics() -> PartitionStatistics {
        var records = 0
        var live = 0
        var bytes = chargedIndexBytes
        var diskBytes = 0
        var archived = (batches: 0, bytes: 0)
        for (batch, header) in zip(list.batches, list.headers) {
            bytes += batch.chargedBytes
            diskBytes += batch.stored?.piece.bytes ?? 0
            if batch.isStub, let piece = batch.archived?.piece {
                archived.batches += 1
                archived.bytes += piece.bytes
            }
            let hidden = hiddenCount(header.pointee)
            records += header.pointee.presentCount - hidden.present
            live += header.pointee.newestCount - hidden.newest
        }
        return PartitionStatistics(
            first: Offset(first), tail: Offset(committed), records: records, liveRecords: live,
            memoryBytes: bytes, diskBytes: diskBytes, archivedBatches: archived.batches,
            archivedBytes: archived.bytes,
            evicted: evictedCount, expired: expiredCount, trimmed: trimmedCount, appended: appendedCount,
            appendedBytes: appendedBytes, keys: index.count, coldKeys: index.coldCount)
    }

    /// Rows that are counted in a batch but lie below `first` or are not committed yet.
    private func hiddenCount(_ header: BatchHeader) -> (present: Int, newest: Int) {
        let start = header.firstRow(atOrAbove: first)
        let end = header.firstRow(atOrAbove: committed)
        let ranges = [0..<start, max(start, end)..<max(start, header.rows)]
        return ranges.reduce(into: (0, 0)) { sum, range in
            sum.0 += header.present?.count(in: range) ?? range.count
            sum.1 += header.newest?.count(in: range) ?? range.count
        }
    }
}
