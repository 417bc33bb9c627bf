import Platform

// Batches that were written before this process, or by another server, become a partition again, in the order of offsets.
extension PartitionState {
    mutating func beginRestoring(first: Int64) {
        self.first = first
        cleaned = first
    }

    /// Whether no key of the batch is there already: what one server writes has the newest row of a key once.
    func isDisjoint(from batch: Batch) -> Bool {
        let header = batch.header
        guard header.pointee.keyBytes > 0 else { return true }
        var seen: Set<UInt64> = []
        for row in 0..<header.pointee.rows where header.pointee.isNewest(row) && header.pointee.isPresent(row)
        {
            guard let key = header.pointee.key(row) else { continue }
            let hash = xxh3(key, seed: hashSeed)
            // Two keys with the same 64 bits would be refused as well; nobody will see any.
            guard !header.pointee.type(row).isTombstone, find(key, hash) == nil,
                seen.insert(hash).inserted
            else { return false }
        }
        return true
    }

    /// Behind the batches that are there: its rows are visible, its keys are found.
    mutating func restore(_ batch: Batch) {
        add(batch)
        let header = batch.header
        guard header.pointee.keyBytes > 0 else { return }
        for row in 0..<header.pointee.rows where header.pointee.isNewest(row) && header.pointee.isPresent(row)
        {
            guard let key = header.pointee.key(row) else { continue }
            index.insert(xxh3(key, seed: hashSeed), header.pointee.offset(ofRow: row))
        }
        chargeIndex()
    }

    /// The same for rows of which is not known which are the newest of their keys: they supersede what is there. Those that
    /// are known to have been superseded do not.
    mutating func restoreSuperseding(_ batch: Batch) {
        add(batch)
        let header = batch.header
        guard header.pointee.keyBytes > 0 else { return }
        for row in 0..<header.pointee.rows where header.pointee.isNewest(row) {
            guard let key = header.pointee.key(row) else { continue }
            let hash = xxh3(key, seed: hashSeed)
            let offset = header.pointee.offset(ofRow: row)
            let isTombstone = header.pointee.type(row).isTombstone
            if isTombstone { batch.clearNewest(row) }
            if let old = find(key, hash) {
                list.batches[old.position].clearNewest(old.row)
                if isTombstone { index.remove(at: old.place) } else { index.setOffset(at: old.place, offset) }
            } else if !isTombstone {
                index.insert(hash, offset)
            }
        }
        chargeIndex()
    }

    private mutating func add(_ batch: Batch) {
        let header = batch.header
        if list.isEmpty { cleaned = min(cleaned, header.pointee.base) }
        list.append(batch)
        assigned = header.pointee.endOfRange
        committed = assigned
        appendedCount += header.pointee.rows
        appendedBytes += header.pointee.valueBytes + header.pointee.keyBytes
    }

    /// - Parameter onDisk: of a hybrid log: it lies there already; else the next checkpoint has to take all of it.
    mutating func finishRestoring(tail: Int64, onDisk: Bool) {
        assigned = tail
        committed = tail
        if onDisk { diskTail = tail } else { diskTailWanted = tail }
        submittedBytes = appendedBytes
        let batchBytes = list.batches.last?.allocatedBytes ?? 0
        while nextSlabBytes < min(batchBytes, SlabPool.largestSlabBytes) { nextSlabBytes *= 2 }
    }
}
