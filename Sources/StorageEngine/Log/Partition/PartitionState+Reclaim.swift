import Platform

// Rows leave: trimmed, past retention, expired. Whole batches go when nothing in them is kept.
extension PartitionState {
    /// Takes a row from readers and its key from the index. - Returns: whether it was present.
    /// - Parameter reason: why the key goes, for the tombstone that the log may leave; nil leaves none.
    @discardableResult
    mutating func kill(_ row: Int, position: Int, reason: RecordType? = nil) -> Bool {
        let header = list.headers[position]
        if header.pointee.isNewest(row), let key = header.pointee.key(row) {
            let offset = header.pointee.offset(ofRow: row)
            let hash = xxh3(key, seed: hashSeed)
            if let found = find(key, hash), found.offset == offset {
                index.remove(at: found.place)
                // A write that waits for its commit says itself what becomes of the key.
                if let reason, policy.leavesTombstones, pendingKeys[hash] == nil {
                    departures.append(Departure(key: Array(key), type: reason))
                }
            }
        }
        let batch = list.batches[position]
        batch.clearNewest(row)
        return batch.clearPresent(row)
    }

    /// How many rows of a batch rewriting would keep.
    func keptCount(_ header: UnsafeMutablePointer<BatchHeader>) -> Int {
        policy.compactsKeys
            ? min(header.pointee.newestCount, header.pointee.presentCount) : header.pointee.presentCount
    }

    /// A sealed batch that is mostly dead is worth rewriting: less than half of its rows are kept.
    @inline(__always)
    mutating func noteIfReclaimable(_ header: UnsafeMutablePointer<BatchHeader>) {
        guard header.pointee.isSealed else { return }
        let kept = keptCount(header)
        if kept &* 2 < header.pointee.rows, kept < header.pointee.keptAtLastTry { requestMaintenance(at: 0) }
    }

    // MARK: Trim and retention

    /// Hides everything below `offset` at once; memory follows through `clean`.
    mutating func advanceFirst(to offset: Int64) {
        guard offset > first else { return }
        first = min(offset, committed)
    }

    /// Moves `first` up to what `max_records` and `max_bytes` keep.
    mutating func enforceRetention() {
        if let records = policy.retainedRecordsMax { advanceFirst(to: committed - Int64(records)) }
        if let bytes = policy.retainedBytesMax, hasOpenedBatch {
            hasOpenedBatch = false
            enforceRetainedBytes(bytes)
        }
    }

    private mutating func enforceRetainedBytes(_ limit: Int) {
        var kept = 0
        var position = list.count
        while position > 0 {
            kept += list.batches[position - 1].footprintBytes
            if kept > limit { break }
            position -= 1
        }
        // The batch being filled always stays.
        if position > 0, position < list.count { advanceFirst(to: list.headers[position].pointee.base) }
    }

    /// Hides what arrived before `time`, row by row. - Returns: when the next row becomes too old.
    mutating func enforceRetainedAge(now: Int64) -> Int64 {
        guard let age = policy.retainedAgeMillisecondsMax else { return Deadline.never }
        let oldest = now - age
        var position = list.position(of: first)
        while position < list.count {
            let header = list.headers[position]
            let end = min(header.pointee.endOfRange, committed)
            if header.pointee.lastArrival <= oldest {
                advanceFirst(to: end)
                if end < header.pointee.endOfRange { break }
                position += 1
                continue
            }
            var row = header.pointee.firstRow(atOrAbove: first)
            while row < header.pointee.rows, header.pointee.arrival(row) <= oldest { row += 1 }
            if row < header.pointee.rows {
                advanceFirst(to: min(header.pointee.offset(ofRow: row), committed))
                return header.pointee.arrival(row) + age
            }
            position += 1
        }
        return Deadline.never
    }

    /// Frees what lies below `first`, at most about `rowsMax` rows at a time. - Returns: whether all is done.
    mutating func clean(rowsMax: Int) -> Bool {
        var budget = rowsMax
        while cleaned < first {
            guard let header = list.headers.first else {
                cleaned = first
                break
            }
            if header.pointee.base >= first {
                cleaned = first
                break
            }
            let isWhole = header.pointee.endOfRange <= first
            if isWhole && (header.pointee.keyBytes == 0 || header.pointee.newestCount == 0) {
                dropFirstBatch()
                continue
            }
            guard budget > 0 else { return false }
            var row = header.pointee.firstRow(atOrAbove: cleaned)
            while row < header.pointee.rows, budget > 0 {
                let offset = header.pointee.offset(ofRow: row)
                if offset >= first { break }
                if offset < evictedBelow {
                    let counts = countsAsEvicted(header.pointee, row)
                    if kill(row, position: 0, reason: .evicted), counts { evictedCount += 1 }
                } else if kill(row, position: 0) {
                    trimmedCount += 1
                }
                row += 1
                budget -= 1
            }
            let isEnd = row >= header.pointee.rows || header.pointee.offset(ofRow: row) >= first
            cleaned = isEnd ? min(first, header.pointee.endOfRange) : header.pointee.offset(ofRow: row)
            if isEnd && isWhole { dropFirstBatch() }
        }
        chargeIndex()
        return true
    }

    private mutating func dropFirstBatch() {
        let header = list.headers[0]
        if header.pointee.endOfRange <= evictedBelow {
            // Keyed rows have been counted one by one, or are superseded.
            if header.pointee.keyBytes == 0 { evictedCount += header.pointee.presentCount }
        } else {
            trimmedCount += header.pointee.presentCount
        }
        cleaned = max(cleaned, min(first, header.pointee.endOfRange))
        if active == header { active = nil }
        list.batches[0].leavePartition()
        list.removeFirst(1)
        if list.isEmpty { nextSlabBytes = SlabPool.smallestSlabBytes }
    }

    // MARK: Expiry

    /// Takes expired rows from `offset` on, at most `rowsMax` looked at. Readers have not seen them since their deadline;
    /// this gives their memory back. - Returns: where to go on; nil at the end.
    mutating func sweep(from offset: Int64, now: Int64, rowsMax: Int) -> Int64? {
        var position = list.position(of: max(offset, first))
        while position < list.count {
            let header = list.headers[position]
            guard header.pointee.earliestDeadline <= now, let deadlines = header.pointee.deadlines else {
                position += 1
                continue
            }
            let start = header.pointee.firstRow(atOrAbove: offset)
            let visible = header.pointee.firstRow(atOrAbove: committed)
            let end = min(visible, start + rowsMax)
            for row in start..<max(start, end) where deadlines[row] <= now {
                if kill(row, position: position, reason: .expired) { expiredCount += 1 }
            }
            if end < visible { return header.pointee.offset(ofRow: end) }
            let endOfRange = header.pointee.endOfRange
            finishSweep(header, now: now, visible: visible)
            dropIfAllDied(position)
            return endOfRange
        }
        chargeIndex()
        return nil
    }

    /// Of a batch in which nothing is left no memory is kept, though it be the one that is being filled.
    private mutating func dropIfAllDied(_ position: Int) {
        let header = list.headers[position]
        guard header.pointee.presentCount == 0, committed == assigned else { return }
        if header == active {
            seal()
            nextSlabBytes = SlabPool.smallestSlabBytes
        }
        _ = dropIfEmpty(position)
    }

    private mutating func finishSweep(_ header: UnsafeMutablePointer<BatchHeader>, now: Int64, visible: Int) {
        guard let deadlines = header.pointee.deadlines else { return }
        var earliest = Deadline.never
        for row in 0..<header.pointee.rows {
            let deadline = deadlines[row]
            if deadline > now || row >= visible { earliest = min(earliest, deadline) }
        }
        header.pointee.earliestDeadline = earliest
        noteIfReclaimable(header)
    }

    /// - Complexity: O(batches).
    func earliestDeadline() -> Int64 {
        var earliest = Deadline.never
        for header in list.headers { earliest = min(earliest, header.pointee.earliestDeadline) }
        return earliest
    }

    // MARK: Maintenance

    @inline(__always)
    mutating func requestMaintenance(at time: Int64) {
        if time < maintenanceDue { requestMaintenanceSooner(at: time) }
    }

    @inline(never)
    private mutating func requestMaintenanceSooner(at time: Int64) {
        maintenanceDue = time
        maintenanceRequest = time
    }
}
