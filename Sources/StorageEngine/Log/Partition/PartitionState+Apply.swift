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
        return applyKey(over: find(key, hash), hash, row, in: header)
    }

    /// - Parameter old: where the key is now.
    @inline(__always)
    mutating func applyKey(
        over old: FoundKey?, _ hash: UInt64, _ row: Int, in header: UnsafeMutablePointer<BatchHeader>
    ) -> Bool {
        let offset = header.pointee.base &+ Int64(row)
        let isTombstone = header.pointee.types != nil && header.pointee.type(row).isTombstone
        if isTombstone {
            list.batches[list.position(of: offset)].clearNewest(row)
            noteIfReclaimable(header)
        }
        guard let old else {
            if !isTombstone { index.insert(hash, offset) }
            return false
        }
        if policy.tiers != nil { uncertainDeaths.append((offset, old.offset)) }
        if isTombstone {
            index.remove(at: old.place)
        } else {
            index.setOffset(at: old.place, offset)
            // A key that is written again has been used.
            if policy.eviction == .lru { markVisited(list.position(of: header.pointee.base), row) }
        }
        if !old.header.pointee.clearNewestInPlace(old.row) {
            list.batches[old.position].clearNewest(old.row)
        }
        noteIfReclaimable(old.header)
        return old.offset >= first
    }

    /// Where the index has this key, compared with the key's bytes in its batch.
    @inline(__always)
    func find(_ key: UnsafeRawBufferPointer, _ hash: UInt64) -> FoundKey? {
        var candidate = index.first(hash)
        while let place = candidate {
            let offset = index.offset(at: place)
            let position = list.position(of: offset)
            let header = list.headers[position]
            if let row = header.pointee.row(of: offset), let stored = header.pointee.key(row),
                equalBytes(stored, key)
            {
                return FoundKey(place: place, offset: offset, position: position, row: row, header: header)
            }
            candidate = index.next(after: place, hash)
        }
        return nil
    }

    /// The row that a key has now, if it may be seen at `now`.
    @inline(__always)
    func findLive(_ key: UnsafeRawBufferPointer, _ hash: UInt64, now: () -> Int64) -> FoundKey? {
        guard let found = find(key, hash), isLive(found, now: now) else { return nil }
        return found
    }

    @inline(__always)
    func isLive(_ found: FoundKey, now: () -> Int64) -> Bool {
        guard found.offset >= first else { return false }
        let deadline = found.header.pointee.deadline(found.row)
        return deadline == Deadline.never || deadline > now()
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

/// A key of the index and the row that it points at; valid until rows or batches leave.
struct FoundKey {
    let place: KeyIndex.Place
    let offset: Int64
    let position: Int
    let row: Int
    let header: UnsafeMutablePointer<BatchHeader>
}
