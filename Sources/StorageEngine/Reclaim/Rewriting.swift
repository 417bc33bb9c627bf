import Platform

// The one mechanism that frees memory inside the log: the survivors of the worst batches move together into fewer ones.
// Offsets stay; a delta column says where each row was.
extension Partition {
    /// How eagerly batches are rewritten: one is, when the share of its memory that survives is below this.
    enum Eagerness {
        /// In the background: less than half of the rows live, so that a copy frees at least its own size.
        static let idle = 0.5
        /// Over the watermark: at most three bytes copied for one freed.
        static let overWatermark = 0.75
        /// Before a write is refused: whatever gives anything back.
        static let full = 0.97
    }

    /// Where tombstones are wanted, those that are younger than this are left for tails to see.
    static let tombstoneMilliseconds: Int64 = 1000
    var tombstonesFrom: Int64 { clock.now() - Self.tombstoneMilliseconds }

    /// Rewrites the run of batches that gives back most. - Returns: bytes freed; 0 when nothing is worth it.
    func rewriteWorstRun(keptShareMax: Double) -> Int {
        let tombstonesFrom = tombstonesFrom
        // Beyond it others are due; the next visit goes on.
        let triesMax = 64
        for _ in 0..<triesMax {
            let run = state.withLock {
                $0.beginRewriting(keptShareMax: keptShareMax, tombstonesFrom: tombstonesFrom)
            }
            guard let run else { return 0 }
            let copy = SurvivorCopy(of: run, partition: self)
            let (freed, others) = state.withLock { state in
                (state.finishRewriting(run, copy), followUp(&state))
            }
            carryOut(others)
            // One that was not worth it is not tried again, and must not hide the next.
            if freed > 0 { return freed }
        }
        return 0
    }
}

/// Adjacent sealed batches as they were when chosen.
struct RewritingRun {
    let views: [BatchView]
    /// Superseded rows of keys are left behind.
    let keepsNewestOnly: Bool
    /// Tombstones younger than this are kept all the same.
    let tombstonesFrom: Int64
    /// Superseded rows that are kept: what superseded them would be lost in a crash, and they are on disk.
    let protected: Set<Int64>
    let slabBytesMax: Int
    let allocatedBytes: Int
    /// Of the batch of which least survives: freeing a part of that makes the run worth it.
    let worstBytes: Int
}

extension PartitionState {
    /// Bounds what one rewriting copies and holds twice.
    private static let runBytesMax = 4 << 20

    /// Chooses the batch of which least survives, and its neighbours of which little does.
    fileprivate mutating func beginRewriting(keptShareMax: Double, tombstonesFrom: Int64) -> RewritingRun? {
        if keptShareMax > Partition.Eagerness.idle { sealIfMostlyDead() }
        guard !isRewriting, let worst = worstBatch(keptShareMax, tombstonesFrom) else { return nil }
        var range = worst..<worst + 1
        var bytes = list.batches[worst].footprintBytes
        // The copy is held beside the run: within what is free, or two batches and what lies between them.
        let bytesMax = min(Self.runBytesMax, max(account.freeBytes, policy.slabBytesMax * 3))
        func joins(_ position: Int) -> Bool {
            list.headers.indices.contains(position)
                && isChoosable(position, keptShareMax, tombstonesFrom)
                && keptShare(position) < keptShareMax
                && bytes + list.batches[position].footprintBytes <= bytesMax
                && spanWith(position) < Int64(UInt32.max)
        }
        // Of the offsets: the delta column has 32 bits.
        func spanWith(_ position: Int) -> Int64 {
            let lowest = min(position, range.lowerBound)
            let highest = max(position, range.upperBound - 1)
            return list.headers[highest].pointee.endOfRange - list.headers[lowest].pointee.base
        }
        // One of which nothing survives goes alone: with neighbours that a copy makes larger it might seem not worth it,
        // and be chosen for ever.
        let goesAlone = keptCount(list.headers[worst]) == 0
        while !goesAlone, joins(range.upperBound) || joins(range.lowerBound - 1) {
            if joins(range.upperBound) {
                bytes += list.batches[range.upperBound].footprintBytes
                range = range.lowerBound..<range.upperBound + 1
            } else {
                bytes += list.batches[range.lowerBound - 1].footprintBytes
                range = range.lowerBound - 1..<range.upperBound
            }
        }
        isRewriting = true
        let views = range.map { position in
            let header = list.headers[position].pointee
            return BatchView(
                // Which partition it is plays no part in rewriting.
                partition: 0, batch: list.batches[position], header: header, rows: 0..<header.rows)
        }
        let onDisk = diskTail
        let protected = Set(uncertainDeaths.lazy.map(\.victim).filter { $0 < onDisk })
        return RewritingRun(
            views: views, keepsNewestOnly: policy.compactsKeys,
            tombstonesFrom: policy.leavesTombstones ? tombstonesFrom : Int64.max,
            protected: protected,
            slabBytesMax: policy.slabBytesMax,
            allocatedBytes: bytes, worstBytes: list.batches[worst].footprintBytes)
    }

    private func worstBatch(_ keptShareMax: Double, _ tombstonesFrom: Int64) -> Int? {
        var worst: Int?
        var least = keptShareMax
        for position in 0..<list.count
        where isChoosable(position, keptShareMax, tombstonesFrom)
            && isWorthATry(list.headers[position], tombstonesFrom)
        {
            let share = keptShare(position)
            guard share < least else { continue }
            least = share
            worst = position
            if share == 0 { break }
        }
        return worst
    }

    /// What is in the archive is not copied: such a batch goes when nothing of it would be.
    private func keepsArchived(
        _ header: UnsafeMutablePointer<BatchHeader>, _ tombstonesFrom: Int64
    ) -> Bool {
        guard header.pointee.isStub else { return false }
        let onDisk = header.pointee.base..<header.pointee.endOfRange
        return keptCount(header) > 0
            || (policy.leavesTombstones && header.pointee.lastTombstone >= tombstonesFrom)
            || uncertainDeaths.contains { onDisk.contains($0.victim) }
    }

    private func isChoosable(_ position: Int, _ keptShareMax: Double, _ tombstonesFrom: Int64) -> Bool {
        let header = list.headers[position]
        // Where memory is short, what lies on disk has none to give back.
        if keptShareMax > Partition.Eagerness.idle, list.batches[position].isMapped { return false }
        return header.pointee.isSealed && header.pointee.endOfRange <= committed
            && header.pointee.base >= first && !keepsArchived(header, tombstonesFrom)
    }

    /// Whether something has changed since it was last found not to be.
    private func isWorthATry(
        _ header: UnsafeMutablePointer<BatchHeader>, _ tombstonesFrom: Int64
    ) -> Bool {
        keptCount(header) < header.pointee.keptAtLastTry
            && (header.pointee.heldByTombstonesUntil < tombstonesFrom || !policy.leavesTombstones)
    }

    /// The share of a batch's memory that its survivors fill, as if all rows were equally large.
    private func keptShare(_ position: Int) -> Double {
        let header = list.headers[position]
        let rows = max(1, header.pointee.rows)
        let used = header.pointee.usage.bytes
        return Double(used) * Double(keptCount(header)) / Double(rows)
            / Double(list.batches[position].footprintBytes)
    }

    /// Puts the copy in the place of the run, after carrying over what died meanwhile. - Returns: bytes freed.
    fileprivate mutating func finishRewriting(
        _ run: RewritingRun, _ copy: SurvivorCopy
    ) -> Int {
        isRewriting = false
        guard let base = run.views.first?.header.base else { return 0 }
        let start = list.position(of: base)
        let range = start..<start + run.views.count
        guard range.upperBound <= list.count,
            zip(range, run.views).allSatisfy({ list.batches[$0] === $1.batch })
        else { return 0 }
        copy.carryOver(run)
        let freed = run.allocatedBytes - copy.allocatedBytes
        // Less than this is what dead bits took, or rounding.
        guard freed > run.worstBytes / 32 else {
            // Not again until more of it is dead.
            for position in range {
                let header = list.headers[position]
                if !holdForTombstones(header, run) {
                    header.pointee.keptAtLastTry = max(1, keptCount(header) - header.pointee.rows / 32)
                }
            }
            return 0
        }
        for position in range { list.batches[position].leavePartition() }
        // A copy has nothing to give back until something in it dies.
        for batch in copy.batches where !holdForTombstones(batch.header, run) {
            batch.header.pointee.keptAtLastTry = keptCount(batch.header)
        }
        list.replace(range, with: copy.batches)
        if policy.tiers != nil, base < diskTail, !copy.batches.isEmpty { hasUnstoredCopies = true }
        passOnUncertainDeaths()
        chargeIndex()
        return freed
    }

    /// Young tombstones are dead weight soon: then it is worth another try. - Returns: whether there are any.
    private mutating func holdForTombstones(
        _ header: UnsafeMutablePointer<BatchHeader>, _ run: RewritingRun
    ) -> Bool {
        guard header.pointee.lastTombstone >= run.tombstonesFrom else { return false }
        header.pointee.heldByTombstonesUntil = header.pointee.lastTombstone
        header.pointee.keptAtLastTry = Int.max
        requestMaintenance(at: header.pointee.lastTombstone + Partition.tombstoneMilliseconds + 1)
        return true
    }

    /// What rewriting could give back, about.
    func deadBytes() -> Int {
        (0..<list.count).reduce(0) { sum, position in
            if list.batches[position].isMapped { return sum }
            let share = min(1, keptShare(position))
            return sum + Int(Double(list.batches[position].chargedBytes) * (1 - share))
        }
    }

    /// Lets go of a sealed, committed batch of which nothing is kept. - Returns: bytes freed.
    mutating func dropIfEmpty(_ position: Int) -> Int {
        let header = list.headers[position]
        guard header.pointee.isSealed, header.pointee.endOfRange <= committed, !isRewriting,
            header.pointee.presentCount == 0, header.pointee.base >= first
        else { return 0 }
        let freed = list.batches[position].chargedBytes
        list.batches[position].leavePartition()
        if position == 0 { list.removeFirst(1) } else { list.replace(position..<position + 1, with: []) }
        chargeIndex()
        return freed
    }
}
