import Platform

// A batch's way to the archive and back. Its keys, and all by which rows are judged, stay on this machine: nobody waits
// for a store under a partition's lock.
extension Partition {
    /// Sealed batches on the disk that are old enough for the archive, as many as one object takes.
    func batchesToArchive(now: Int64, bytesMax: Int) -> [(batch: Batch, stored: StoredImage)] {
        state.withLock { $0.batchesToArchive(now: now, bytesMax: bytesMax) }
    }

    /// Their whole images are in the object: the next checkpoint refers to it. - Returns: how many are still there.
    func archived(_ batches: [(batch: Batch, archived: ArchivedBatch)]) -> Int {
        state.withLock { state in
            guard state.durableID != nil, state.policy.tiers != nil else { return 0 }
            return batches.count { batch, archived in
                let position = state.list.position(of: batch.header.pointee.base)
                guard position < state.list.count, state.list.batches[position] === batch else {
                    return false
                }
                batch.archived = archived
                return true
            }
        }
    }

    /// What a checkpoint in force says is in the archive is read from there from now on: the local bytes are not needed.
    func letGoOfArchived(_ directory: DataDirectory) throws(StorageFailure) {
        for (batch, stored, archived) in state.withLock({ $0.archivedOnDisk() }) {
            let (image, mapping) = try directory.image(of: stored)
            let stub = Batch(image, in: mapping, archived: archived, account: account)
            stub.companion.inherit(from: batch.companion)
            // While batches are rewritten it is tried again later.
            state.withLock { state in
                if state.durableID != nil { _ = state.exchange(batch, with: stub) }
            }
        }
    }

    var hasArchived: Bool { state.withLock { $0.list.batches.contains { $0.archived != nil } } }

    /// The first batch of which something is in the archive only.
    var firstStub: Batch? { state.withLock { $0.list.batches.first { $0.isStub } } }

    /// What was to be read from the archive stays on this machine, and a checkpoint writes it whole.
    func keepLocal() {
        state.withLock { state in
            for batch in state.list.batches where batch.archived != nil && !batch.isStub {
                batch.archived = nil
                if batch.stored?.archived != nil { state.forgetStored(batch) }
            }
        }
    }

    /// - Parameter whole: the stub's batch as it came from the archive.
    /// - Returns: false when that cannot be done now.
    func bringBack(_ stub: Batch, _ whole: Batch) -> Bool {
        let pool = state.withLock { $0.pool }
        let copy = Batch(copying: BatchImage(whole.header.pointee), pool: pool, account: account)
        copy.companion.inherit(from: stub.companion)
        return state.withLock { state in
            guard state.exchange(stub, with: copy) else { return false }
            state.forgetStored(copy)
            return true
        }
    }
}

extension PartitionState {
    func batchesToArchive(now: Int64, bytesMax: Int) -> [(batch: Batch, stored: StoredImage)] {
        guard let after = policy.tiers?.archive?.afterMilliseconds, durableID != nil else { return [] }
        var chosen: [(Batch, StoredImage)] = []
        var bytes = 0
        for (batch, header) in zip(list.batches, list.headers) {
            // Of a stub the bytes on this machine are not the whole.
            guard batch.isMapped, batch.archived == nil, let stored = batch.stored, stored.archived == nil,
                stored.rows == header.pointee.rows, header.pointee.endOfRange <= committed,
                header.pointee.endOfRange > first, !isSoonRewritten(header)
            else { continue }
            let arrival = header.pointee.lastArrival
            guard addingSaturated(arrival, after) <= now || TierPolicy.isOfAnotherClock(arrival, now: now)
            else { continue }
            if !chosen.isEmpty, bytes + stored.piece.bytes > bytesMax { break }
            bytes += stored.piece.bytes
            chosen.append((batch, stored))
        }
        return chosen
    }

    /// Little of it is kept: compaction comes first, for it does not go to the archive.
    private func isSoonRewritten(_ header: UnsafeMutablePointer<BatchHeader>) -> Bool {
        let kept = keptCount(header)
        return kept == 0 || (kept * 2 < header.pointee.rows && kept < header.pointee.keptAtLastTry)
    }

    fileprivate func archivedOnDisk() -> [(batch: Batch, stored: StoredImage, archived: ArchivedBatch)] {
        list.batches.compactMap { batch in
            guard !batch.isStub, let archived = batch.archived, let stored = batch.stored,
                stored.archived == archived.piece
            else { return nil }
            return (batch, stored, archived)
        }
    }

    /// The next checkpoint writes it, as it does what compaction has copied.
    mutating func forgetStored(_ batch: Batch) {
        batch.stored = nil
        if policy.tiers != nil, batch.header.pointee.base < diskTail { hasUnstoredCopies = true }
    }
}
