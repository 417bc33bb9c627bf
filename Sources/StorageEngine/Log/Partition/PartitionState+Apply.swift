import Platform

// Committing: effects reach the key index and the bitmaps, and the rows become visible.
extension PartitionState {
    /// Applies the rows up to `end`, which are assigned. - Returns: how many live keys were superseded.
    mutating func apply(upTo end: Int64) -> Int {
        var replaced = 0
        while committed < end {
            let position = list.position(of: committed)
            let header = list.headers[position]
            let stop = min(end, header.pointee.endOfRange)
            if header.pointee.keyBytes > 0 {
                while committed < stop {
                    let row = Int(committed &- header.pointee.base)
                    if let key = header.pointee.key(row), applyKey(key, row, in: header) { replaced += 1 }
                    committed &+= 1
                }
            }
            committed = stop
        }
        chargeIndex()
        return replaced
    }

    /// Rows that will never be visible: they have their offsets, and are holes.
    mutating func dropAssigned(upTo end: Int64) {
        while committed < end {
            let position = list.position(of: committed)
            if let row = list.headers[position].pointee.row(of: committed) {
                list.batches[position].clearNewest(row)
                list.batches[position].clearPresent(row)
            }
            committed &+= 1
        }
    }

    /// Points the key at its new row and takes the old one's `newest` bit. - Returns: whether there was an old one.
    @inline(__always)
    mutating func applyKey(
        _ key: UnsafeRawBufferPointer, _ row: Int, in header: UnsafeMutablePointer<BatchHeader>
    ) -> Bool {
        let hash = xxh3(key, seed: hashSeed)
        return applyKey(at: place(of: key, hash), hash, row, in: header)
    }

    @inline(__always)
    mutating func applyKey(
        at place: KeyIndex.Place?, _ hash: UInt64, _ row: Int, in header: UnsafeMutablePointer<BatchHeader>
    ) -> Bool {
        let isTombstone = header.pointee.types != nil && header.pointee.type(row).isTombstone
        if isTombstone { clearNewest(offset: header.pointee.base &+ Int64(row)) }
        guard let place else {
            if !isTombstone { index.insert(hash, header.pointee.base &+ Int64(row)) }
            return false
        }
        let previous = index.offset(at: place)
        if policy.tiers != nil {
            uncertainDeaths.append((header.pointee.base &+ Int64(row), previous))
        }
        if isTombstone {
            index.remove(at: place)
        } else {
            index.setOffset(at: place, header.pointee.base &+ Int64(row))
            // A key that is written again has been used.
            if policy.eviction == .lru { markVisited(list.position(of: header.pointee.base), row) }
        }
        clearNewest(offset: previous)
        return previous >= first
    }

    /// Where the index has this key, compared with the key's bytes in its batch.
    @inline(__always)
    func place(of key: UnsafeRawBufferPointer, _ hash: UInt64) -> KeyIndex.Place? {
        var candidate = index.first(hash)
        while let place = candidate {
            if holds(key, at: index.offset(at: place)) { return place }
            candidate = index.next(after: place, hash)
        }
        return nil
    }

    @inline(__always)
    private func holds(_ key: UnsafeRawBufferPointer, at offset: Int64) -> Bool {
        let header = list.headers[list.position(of: offset)]
        guard let row = header.pointee.row(of: offset), let stored = header.pointee.key(row) else {
            return false
        }
        return equalBytes(stored, key)
    }

    /// The row that the index points at, if it may be seen at `now`.
    @inline(__always)
    func liveRow(at place: KeyIndex.Place, now: () -> Int64) -> (position: Int, row: Int)? {
        let offset = index.offset(at: place)
        guard offset >= first else { return nil }
        let position = list.position(of: offset)
        let header = list.headers[position]
        guard let row = header.pointee.row(of: offset) else { return nil }
        let deadline = header.pointee.deadline(row)
        if deadline != Deadline.never, deadline <= now() { return nil }
        return (position, row)
    }

    @inline(__always)
    private mutating func clearNewest(offset: Int64) {
        let position = list.position(of: offset)
        guard position < list.count else { return }
        let header = list.headers[position]
        guard let row = header.pointee.row(of: offset) else { return }
        list.batches[position].clearNewest(row)
        noteIfReclaimable(header)
    }

    /// Index pages and the batch list's own arrays, charged when they have grown or shrunk.
    @inline(__always)
    mutating func chargeIndex() {
        let bytes = index.allocatedBytes &+ list.allocatedBytes &+ Self.fixedBytes
        if bytes != chargedIndexBytes {
            account.charge(.index, bytes - chargedIndexBytes)
            chargedIndexBytes = bytes
            if account.isOverWatermark { needsEviction = true }
            if account.isOverLimit { isOverLimit = true }
        }
    }
}
