import Platform

// Batches of a hybrid log leave memory: their columns are read from the segment from then on.
extension Partition {
    /// - Parameters:
    ///   - limit: only what arrived before, in Unix milliseconds.
    ///   - bytesMax: ends once about as much is free.
    /// - Returns: bytes of memory that came back.
    func leaveMemory(arrivedBefore limit: Int64, bytesMax: Int = .max) -> Int {
        guard let directory = storage?.directory else { return 0 }
        var freed = 0
        while freed < bytesMax {
            let batch = state.withLock { $0.batchToLeaveMemory(arrivedBefore: limit) }
            guard let batch, let stored = batch.stored else { break }
            let gained: Int
            do throws(StorageFailure) {
                let (image, mapping) = try directory.image(of: stored)
                let mapped = Batch(image, in: mapping, account: account)
                gained = state.withLock { $0.replace(batch, with: mapped) }
            } catch {
                // What cannot be read there stays here.
                reportFailure("a batch stays in memory: \(error)")
                break
            }
            if gained == 0 { break }
            freed += gained
        }
        return freed
    }

    /// All that is read from segments comes back, as far as there is room: the log is in memory only from now on.
    func enterMemory() {
        while true {
            let (batch, pool) = state.withLock { state in
                (state.list.batches.first { $0.isMapped }, state.pool)
            }
            guard let batch else { return }
            let image = BatchImage(batch.header.pointee)
            guard account.freeBytes > image.footprintBytes else {
                reportFailure("a log in memory only goes on reading from disk what memory has no room for")
                return
            }
            let copy = Batch(copying: image, pool: pool, account: account)
            // A rewriting is under way: what it leaves behind is in memory.
            if state.withLock({ $0.replace(batch, with: copy) }) == 0 { Clock.pause(milliseconds: 1) }
        }
    }

    /// What is old enough leaves. - Returns: when to look again; `Deadline.never` for other modes.
    func tier(now: Int64) -> Int64 {
        guard let tiers = state.withLock({ $0.policy.tiers }) else { return Deadline.never }
        _ = leaveMemory(arrivedBefore: now - tiers.memoryMilliseconds)
        guard let arrival = state.withLock({ $0.oldestArrivalInMemory() }) else { return Deadline.never }
        // Being old enough it waits for a checkpoint.
        let retryMilliseconds: Int64 = 1000
        return max(addingSaturated(arrival, tiers.memoryMilliseconds) + 1, now + retryMilliseconds)
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
            freed += partition.leaveMemory(arrivedBefore: .max, bytesMax: bytes - freed)
        }
        return freed
    }
}

extension PartitionState {
    fileprivate func oldestArrivalInMemory() -> Int64? {
        for position in 0..<list.count where !list.batches[position].isMapped {
            return list.headers[position].pointee.lastArrival
        }
        return nil
    }
}
