import Platform

// Which rows give way under each policy. Every function here is one step under the lock; what they take off is freed by
// rewriting, or at once where nothing of a batch is left.
extension PartitionState {
    // MARK: fifo

    /// When the oldest record arrived; nil when there is none to give up.
    func oldestArrival() -> Int64? {
        let position = list.position(of: first)
        guard position < list.count, committed > first else { return nil }
        let header = list.headers[position]
        let row = header.pointee.firstRow(atOrAbove: first)
        return row < header.pointee.rows ? header.pointee.arrival(row) : header.pointee.lastArrival
    }

    /// Hides the oldest batch; `clean` frees it. - Returns: whether there was one.
    mutating func giveUpOldestBatch() -> Bool {
        let position = list.position(of: first)
        guard position < list.count else { return false }
        let header = list.headers[position]
        let end = min(header.pointee.endOfRange, committed)
        guard end > first else { return false }
        if active == header { seal() }
        advanceFirst(to: end)
        evictedBelow = end
        return true
    }

    /// The next row opens a batch of its own.
    mutating func seal() {
        active?.pointee.isSealed = true
        active = nil
    }

    /// What is filled is not rewritten: when memory is short, one in which little is left is not filled any further.
    mutating func sealIfMostlyDead() {
        guard let active, committed == assigned, active.pointee.rows > 0,
            keptCount(active) * 2 < active.pointee.rows
        else { return }
        seal()
    }

    // MARK: lru

    enum Sieve {
        /// There is more of this batch.
        case under
        /// The hand has left a batch.
        case passed
        /// There is nothing that the hand could pass.
        case nothing
    }

    /// Moves the hand over at most `rowsMax` rows: what was visited stays and is forgotten, the rest goes
    /// (SIEVE, Zhang et al., NSDI 2024). The batch that is being filled is passed over while there are others. The hand
    /// turns back before the newest fifth of the batches: what is new has longer to prove itself, and what was hot once is
    /// looked at again sooner, without which a hot set that moves costs twice the misses that exact LRU has more.
    mutating func sieve(rowsMax: Int, tombstonesFrom: Int64) -> Sieve {
        var position = list.position(of: max(hand, first))
        if position >= list.count || list.headers[position] == active
            || (position >= max(1, list.count * 4 / 5) && hand > first)
        {
            hand = first
            position = list.position(of: first)
        }
        guard position < list.count else { return .nothing }
        let header = list.headers[position]
        if header == active {
            guard committed == assigned, committed > first else { return .nothing }
            seal()
        }
        let visible = header.pointee.firstRow(atOrAbove: committed)
        let start = header.pointee.firstRow(atOrAbove: max(hand, first))
        let end = min(visible, start + rowsMax)
        let batch = list.batches[position]
        for row in start..<max(start, end) where header.pointee.isPresent(row) {
            if header.pointee.isVisited(row), header.pointee.isNewest(row) {
                batch.clearVisited(row)
            } else if !isYoungTombstone(header.pointee, row, from: tombstonesFrom) {
                evict(row, position)
            }
        }
        if end < visible {
            hand = header.pointee.offset(ofRow: end)
            return .under
        }
        hand = min(header.pointee.endOfRange, committed)
        if dropIfEmpty(position) == 0, visible < header.pointee.rows { return .nothing }
        return .passed
    }

    @inline(__always)
    mutating func markVisited(_ position: Int, _ row: Int) { list.batches[position].markVisited(row) }

    // MARK: ttl and priority

    /// Takes the rows that `isChosen` from `offset` on, at most `rowsMax` looked at. - Returns: where to go on; nil at the end.
    mutating func evict(
        from offset: Int64, to end: Int64, rowsMax: Int, tombstonesFrom: Int64,
        where isChosen: (BatchHeader, Int) -> Bool
    ) -> Int64? {
        var position = list.position(of: max(offset, first))
        var budget = rowsMax
        let stop = min(end, committed)
        while position < list.count, list.headers[position].pointee.base < stop {
            let header = list.headers[position]
            let visible = header.pointee.firstRow(atOrAbove: stop)
            var row = header.pointee.firstRow(atOrAbove: max(offset, first))
            while row < visible, budget > 0 {
                if header.pointee.isPresent(row), isChosen(header.pointee, row),
                    !isYoungTombstone(header.pointee, row, from: tombstonesFrom)
                {
                    evict(row, position)
                }
                row += 1
                budget -= 1
            }
            if row < visible { return header.pointee.offset(ofRow: row) }
            if header == active { sealIfMostlyDead() }
            if dropIfEmpty(position) == 0 { position += 1 }
        }
        return nil
    }

    /// One that tails should have time to see.
    private func isYoungTombstone(_ header: BatchHeader, _ row: Int, from time: Int64) -> Bool {
        policy.leavesTombstones && header.type(row).isTombstone && header.arrival(row) >= time
    }

    private mutating func evict(_ row: Int, _ position: Int) {
        let counts = countsAsEvicted(list.headers[position].pointee, row)
        if kill(row, position: position, reason: .evicted), counts { evictedCount += 1 }
    }

    /// Superseded records and tombstones are nobody's loss.
    func countsAsEvicted(_ header: BatchHeader, _ row: Int) -> Bool {
        !header.type(row).isTombstone && (!policy.compactsKeys || header.isNewest(row))
    }
}
