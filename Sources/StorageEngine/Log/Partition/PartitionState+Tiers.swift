import Platform

// Where batches of a hybrid log lie: in memory, on disk, or both.
//
// After a crash such a partition is what its last checkpoint says, a prefix of its rows. So rows go to disk in the order
// of offsets, and what a row on disk suffered from a row that is not there yet counts as not having happened.
extension PartitionState {
    /// How far the next checkpoint reaches: over batches that are old enough.
    func checkpointTail(now: Int64, forced: Bool) -> Int64 {
        guard let tiers = policy.tiers, !forced else { return committed }
        var tail = max(diskTail, min(diskTailWanted, committed))
        var position = list.position(of: tail)
        while position < list.count {
            let header = list.headers[position]
            let arrival = header.pointee.lastArrival
            guard
                addingSaturated(arrival, tiers.diskAfterMilliseconds) <= now
                    || TierPolicy.isOfAnotherClock(arrival, now: now)
            else { break }
            tail = min(header.pointee.endOfRange, committed)
            position += 1
        }
        return tail
    }

    /// Whether rows are old enough to be on disk and are not. - Complexity: O(log batches).
    mutating func needsCheckpoint(now: Int64) -> Bool {
        guard let tiers = policy.tiers else { return false }
        if checkpointTail(now: now, forced: false) > diskTail { return true }
        // Copies of what was on disk are in memory, and leave it only once they are there themselves. They may age first:
        // soon others come beside them.
        guard hasUnstoredCopies else { return false }
        guard let since = copiesSince, since <= now else {
            copiesSince = now
            return false
        }
        return now - since >= max(tiers.diskAfterMilliseconds, 1000)
    }

    /// A checkpoint that reaches up to `tail` is on disk.
    mutating func checkpointed(upTo tail: Int64) {
        guard policy.tiers != nil else { return }
        diskTail = max(diskTail, tail)
        let certain = diskTail
        hasUnstoredCopies = zip(list.batches, list.headers).contains { batch, header in
            header.pointee.endOfRange <= certain && batch.stored == nil
        }
        copiesSince = nil
        uncertainDeaths.removeAll { $0.killer < certain }
    }

    /// Rows of which copies were left behind have superseded nothing that is on disk: what they superseded is now
    /// superseded by what superseded them.
    mutating func passOnUncertainDeaths() {
        guard !uncertainDeaths.isEmpty else { return }
        let killers = Dictionary(uncertainDeaths.map { ($0.victim, $0.killer) }) { $1 }
        uncertainDeaths = uncertainDeaths.compactMap { death in
            guard isThere(death.victim) else { return nil }
            var killer = death.killer
            while !isThere(killer), let next = killers[killer] { killer = next }
            return (killer, death.victim)
        }
    }

    private func isThere(_ offset: Int64) -> Bool {
        let position = list.position(of: offset)
        return position < list.count && list.headers[position].pointee.row(of: offset) != nil
    }

    /// Committed rows of the batches before `tail`, from their first row on, dead ones included.
    func checkpointViews(partition: Int, upTo tail: Int64) -> [CheckpointView] {
        let revived = uncertainDeaths.filter { $0.killer >= tail }.map(\.victim).sorted()
        return (0..<list.count).compactMap { position in
            let header = list.headers[position].pointee
            let end = header.firstRow(atOrAbove: tail)
            guard end > 0 else { return nil }
            let batch = list.batches[position]
            let view = BatchView(partition: partition, batch: batch, header: header, rows: 0..<end)
            return CheckpointView(
                view: view, stored: batch.stored, archived: batch.archived,
                newest: newest(of: header, reviving: revived))
        }
    }

    /// The bits as a crash would leave them.
    private func newest(of header: BatchHeader, reviving victims: [Int64]) -> Bitmap? {
        guard let newest = header.newest, !victims.isEmpty else { return header.newest }
        var certain: Bitmap?
        var index = victims.partitioningIndex { $0 >= header.base }
        while index < victims.count, victims[index] < header.endOfRange {
            if let row = header.row(of: victims[index]) {
                let bitmap = certain ?? newest.copy()
                bitmap.set(row)
                certain = bitmap
            }
            index += 1
        }
        return certain ?? newest
    }

    // MARK: Leaving memory

    /// The first batch in memory that may leave it: sealed, and on disk as it is.
    /// - Parameters:
    ///   - arrivedBefore: Unix milliseconds.
    ///   - now: what arrived later than that did so by a clock that was set back.
    mutating func batchToLeaveMemory(arrivedBefore limit: Int64, now: Int64) -> Batch? {
        for position in 0..<list.count {
            let header = list.headers[position]
            if list.batches[position].isMapped { continue }
            let arrival = header.pointee.lastArrival
            guard arrival < limit || TierPolicy.isOfAnotherClock(arrival, now: now),
                let stored = list.batches[position].stored, stored.archived == nil,
                stored.rows == header.pointee.rows
            else { return nil }
            if !header.pointee.isSealed {
                guard committed == assigned else { return nil }
                seal()
            }
            return list.batches[position]
        }
        return nil
    }

    /// Puts a batch whose columns lie elsewhere in the place of one with the same rows.
    /// - Returns: by how much their memory differs; 0 when it cannot be done now.
    mutating func replace(_ batch: Batch, with other: Batch) -> Int {
        exchange(batch, with: other) ? abs(batch.chargedBytes - other.chargedBytes) : 0
    }

    /// - Returns: false when it cannot be done now.
    mutating func exchange(_ batch: Batch, with other: Batch) -> Bool {
        let position = list.position(of: batch.header.pointee.base)
        guard position < list.count, list.batches[position] === batch, !isRewriting else { return false }
        other.takeState(of: batch)
        batch.leavePartition()
        list.replace(position..<position + 1, with: [other])
        return true
    }
}

extension Batch {
    /// Under the partition's lock: what has happened to its rows. - Precondition: the same rows are in both.
    fileprivate func takeState(of other: Batch) {
        let source = other.header.pointee
        stored = other.stored
        restore(present: source.present, newest: source.newest)
        header.pointee.take(source.summary)
        header.pointee.endOfRange = source.endOfRange
        header.pointee.keptAtLastTry = source.keptAtLastTry
        header.pointee.heldByTombstonesUntil = source.heldByTombstonesUntil
    }
}

/// A batch as a checkpoint takes it.
struct CheckpointView {
    let view: BatchView
    let stored: StoredImage?
    let archived: ArchivedBatch?
    let newest: Bitmap?
}

extension Array {
    /// The first index whose element, and all behind it, satisfies the predicate. - Complexity: O(log n).
    fileprivate func partitioningIndex(where belongsBehind: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongsBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
