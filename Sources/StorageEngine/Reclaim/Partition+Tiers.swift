import Platform

// Batches leave memory, and their keys with them: their columns are read from the segment from then on.
extension Partition {
    /// What is moved at a time between the two tables of the index, under the lock.
    private static let keysPerStep = 512
    /// All segments of a table are about equally full, and so split about at the same time.
    private static let pagesPerStep = 16

    /// - Parameters:
    ///   - limit: only what arrived before, in Unix milliseconds.
    ///   - bytesMax: ends once about as much is free.
    ///   - givesWay: sleeps between steps, which a thread that makes room for its own write must not.
    /// - Returns: bytes of memory that came back.
    func leaveMemory(arrivedBefore limit: Int64, bytesMax: Int = .max, givesWay: Bool) -> Int {
        guard let directory = storage?.directory else { return 0 }
        var freed = 0
        while freed < bytesMax {
            let now = clock.now()
            let batch = state.withLock { $0.batchToLeaveMemory(arrivedBefore: limit, now: now) }
            guard let batch, let stored = batch.stored else { break }
            let gained: Int
            do throws(StorageFailure) {
                let (image, mapping) = try directory.image(of: stored)
                let mapped = Batch(image, in: mapping, account: account)
                cool(batch, directory.keyPages, givesWay: givesWay)
                gained = state.withLock { $0.durableID == nil ? 0 : $0.replace(batch, with: mapped) }
            } catch {
                // What cannot be read there stays here.
                reportFailure("a batch stays in memory: \(error)")
                break
            }
            if gained == 0 {
                // It became a log in memory meanwhile, which may have looked for such keys already.
                if state.withLock({ $0.durableID == nil }) { warm(batch) }
                break
            }
            freed += gained
        }
        return freed
    }

    /// The keys of a batch that leaves memory; those for which there is no space on disk stay.
    /// - Parameter givesWay: others want the lock in between.
    func cool(_ batch: Batch, _ pages: DiskKeyPages, givesWay: Bool) {
        for rows in steps(of: batch) {
            do throws(FileFailure) { try pages.prepare(Self.pagesPerStep) } catch {
                reportFailure("keys stay in memory: \(error)")
            }
            state.withLock { state in
                state.forEachKey(of: batch, rows) { index, place in _ = index.cool(at: place, pages) }
            }
            if givesWay { Clock.giveWay() }
        }
    }

    /// The keys of a batch that is in memory again.
    private func warm(_ batch: Batch) {
        for rows in steps(of: batch) {
            state.withLock { $0.forEachKey(of: batch, rows) { index, place in index.warm(at: place) } }
            Clock.giveWay()
        }
    }

    private func steps(of batch: Batch) -> [Range<Int>] {
        let (rows, hasKeys) = state.withLock { _ in
            (batch.header.pointee.rows, batch.header.pointee.keyBytes > 0)
        }
        guard hasKeys else { return [] }
        return stride(from: 0, to: rows, by: Self.keysPerStep).map { $0..<min($0 + Self.keysPerStep, rows) }
    }

    /// All that is read from segments comes back, as far as there is room: the log is in memory only from now on.
    func enterMemory() {
        while true {
            let (batch, pool) = state.withLock { state in
                (state.list.batches.first { $0.isMapped && !$0.isStub }, state.pool)
            }
            guard let batch else { return warmRest() }
            let image = BatchImage(batch.header.pointee)
            guard account.freeBytes > image.footprintBytes else {
                reportFailure("a log in memory only goes on reading from disk what memory has no room for")
                return
            }
            let copy = Batch(copying: image, pool: pool, account: account)
            // A rewriting is under way: what it leaves behind is in memory.
            if state.withLock({ $0.replace(batch, with: copy) }) == 0 {
                Clock.pause(milliseconds: 1)
            } else {
                warm(copy)
            }
        }
    }

    /// Keys whose rows were copied into memory by compaction.
    private func warmRest() {
        let batches = state.withLock { $0.index.coldCount > 0 ? $0.list.batches : [] }
        for batch in batches { warm(batch) }
    }

    /// What is old enough leaves, in hybrid logs.
    func tier(now: Int64) {
        guard let tiers = state.withLock({ $0.policy.tiers }) else { return }
        _ = leaveMemory(arrivedBefore: now - tiers.memoryMilliseconds, givesWay: true)
    }

    /// When something may be old enough to leave; `Deadline.never` for other modes, and when all has left.
    func nextTier(now: Int64) -> Int64 {
        let (tiers, oldest) = state.withLock { ($0.policy.tiers, $0.oldestArrivalInMemory()) }
        guard let tiers, let arrival = oldest else { return Deadline.never }
        // Being old enough it waits for a checkpoint.
        let retryMilliseconds: Int64 = 1000
        let due =
            TierPolicy.isOfAnotherClock(arrival, now: now)
            ? now : addingSaturated(arrival, tiers.memoryMilliseconds) + 1
        return max(due, now + retryMilliseconds)
    }
}

extension Log {
    /// What is coldest goes to the disk. - Returns: false when nothing more can.
    func spill(bytes: Int) -> Bool {
        if leaveMemory(bytes: bytes) > 0 { return true }
        guard writeCheckpoint() else { return false }
        return leaveMemory(bytes: bytes) > 0
    }

    private func leaveMemory(bytes: Int) -> Int {
        var freed = 0
        for partition in partitions where freed < bytes {
            freed += partition.leaveMemory(
                arrivedBefore: .max, bytesMax: bytes - freed, givesWay: false)
        }
        return freed
    }
}

extension PartitionState {
    /// Of these rows, which are sealed, those that the index points at.
    fileprivate mutating func forEachKey(
        of batch: Batch, _ rows: Range<Int>, _ body: (inout KeyIndex, KeyIndex.Place) -> Void
    ) {
        let header = batch.header
        for row in rows where header.pointee.isNewest(row) {
            guard let key = header.pointee.key(row) else { continue }
            if let found = find(key, xxh3(key, seed: hashSeed)),
                found.offset == header.pointee.offset(ofRow: row)
            {
                body(&index, found.place)
            }
        }
        chargeIndex()
    }

    fileprivate func oldestArrivalInMemory() -> Int64? {
        for position in 0..<list.count where !list.batches[position].isMapped {
            return list.headers[position].pointee.lastArrival
        }
        return nil
    }
}
