import Platform

/// The newest record of each key of a partition: key hash → offset. Open addressing with linear probing in segments of
/// at most 64 KiB, found through a directory of the hash's top bits (extendible hashing, Fagin et al. 1979): growth
/// splits one segment at a time, so no put ever waits for a rehash of everything.
///
/// The index holds full 64-bit hashes but no keys: the caller compares the key of the candidate's record. Not thread-safe.
struct KeyIndex: ~Copyable {
    private var directory: UnsafeMutablePointer<UnsafeMutablePointer<KeyIndexSegment>>
    private var directoryBits: UInt64 = 0
    private(set) var count = 0
    private(set) var allocatedBytes: Int
    private let pool: SlabPool

    init(pool: SlabPool) {
        self.pool = pool
        directory = .allocate(capacity: 1)
        directory.initialize(to: KeyIndexSegment.make(slots: KeyIndexSegment.slotsMin, depth: 0, pool: pool))
        allocatedBytes = KeyIndexSegment.bytes(slots: KeyIndexSegment.slotsMin) + 8
    }

    deinit {
        var position = 0
        let size = 1 << Int(directoryBits)
        while position < size {
            let segment = directory[position]
            position += 1 << Int(directoryBits - segment.pointee.depth)
            KeyIndexSegment.destroy(segment, pool: pool)
        }
        directory.deallocate()
    }

    @inline(__always)
    private func segment(_ hash: UInt64) -> UnsafeMutablePointer<KeyIndexSegment> {
        // A shift by 64 gives 0 here: the smart shift.
        directory[Int(truncatingIfNeeded: hash >> (64 - directoryBits))]
    }

    /// Where an entry stands; valid until the next insertion or removal.
    struct Place {
        fileprivate let segment: UnsafeMutablePointer<KeyIndexSegment>
        fileprivate let slot: Int
    }

    /// The first entry with this hash. Another key may have it too: compare, then go on with `next`.
    @inline(__always)
    func first(_ hash: UInt64) -> Place? {
        let segment = segment(hash)
        return segment.pointee.find(hash, from: segment.pointee.home(hash)).map {
            Place(segment: segment, slot: $0)
        }
    }

    func next(after place: Place, _ hash: UInt64) -> Place? {
        let segment = place.segment
        return segment.pointee.find(hash, from: segment.pointee.slot(after: place.slot))
            .map { Place(segment: segment, slot: $0) }
    }

    @inline(__always)
    func offset(at place: Place) -> Int64 { place.segment.pointee.slots[place.slot].offset }

    @inline(__always)
    mutating func setOffset(at place: Place, _ offset: Int64) {
        place.segment.pointee.slots[place.slot].offset = offset
    }

    mutating func remove(at place: Place) {
        let hash = place.segment.pointee.slots[place.slot].hash
        place.segment.pointee.remove(place.slot)
        count -= 1
        if place.segment.pointee.isSparse { shrink(hash) }
    }

    /// - Precondition: the key is not there.
    mutating func insert(_ hash: UInt64, _ offset: Int64) {
        while segment(hash).pointee.isFull { grow(hash) }
        segment(hash).pointee.insert(hash, offset)
        count += 1
    }

    /// Gives memory back in the steps in which it was taken: a sparse segment joins its sparse buddy, or becomes half as
    /// large. Well below what makes it grow, so that it does not do both in turns.
    private mutating func shrink(_ hash: UInt64) {
        let old = segment(hash)
        let depth = old.pointee.depth
        guard depth > 0 else {
            let slots = old.pointee.capacity / 2
            if slots >= KeyIndexSegment.slotsMin {
                replace(old, hash, with: [KeyIndexSegment.make(slots: slots, depth: 0, pool: pool)])
            }
            return
        }
        let buddyHash = hash ^ (1 << (64 - depth))
        let buddy = segment(buddyHash)
        guard buddy.pointee.depth == depth, buddy.pointee.isSparse else { return }
        let union = KeyIndexSegment.make(slots: KeyIndexSegment.slotsMax, depth: depth - 1, pool: pool)
        replace(buddy, buddyHash, with: [union])
        // The union now stands in the buddy's part only, and is filled with its entries.
        let entries = old.pointee
        let span = 1 << Int(directoryBits - depth)
        let first = Int(truncatingIfNeeded: hash >> (64 - directoryBits)) & ~(span - 1)
        for position in 0..<span { directory[first + position] = union }
        for slot in 0..<entries.capacity where entries.slots[slot].isUsed {
            union.pointee.insert(entries.slots[slot].hash, entries.slots[slot].offset)
        }
        allocatedBytes -= KeyIndexSegment.bytes(slots: entries.capacity)
        KeyIndexSegment.destroy(old, pool: pool)
    }

    /// What is allocated, counted segment by segment.
    func walkedBytes() -> Int {
        let size = 1 << Int(directoryBits)
        var bytes = size * 8
        var position = 0
        while position < size {
            let segment = directory[position]
            bytes += KeyIndexSegment.bytes(slots: segment.pointee.capacity)
            position += 1 << Int(directoryBits - segment.pointee.depth)
        }
        return bytes
    }

    private mutating func grow(_ hash: UInt64) {
        let old = segment(hash)
        if old.pointee.capacity < KeyIndexSegment.slotsMax {
            replace(
                old, hash,
                with: [
                    KeyIndexSegment.make(
                        slots: old.pointee.capacity * 2, depth: old.pointee.depth, pool: pool)
                ])
        } else {
            if old.pointee.depth == directoryBits { doubleDirectory() }
            let depth = old.pointee.depth + 1
            let halves = (0..<2).map { _ in
                KeyIndexSegment.make(slots: KeyIndexSegment.slotsMax, depth: depth, pool: pool)
            }
            replace(old, hash, with: halves)
        }
    }

    private mutating func doubleDirectory() {
        let size = 1 << Int(directoryBits)
        let grown = UnsafeMutablePointer<UnsafeMutablePointer<KeyIndexSegment>>.allocate(capacity: size * 2)
        for position in 0..<size {
            (grown + 2 * position).initialize(to: directory[position])
            (grown + 2 * position + 1).initialize(to: directory[position])
        }
        directory.deallocate()
        directory = grown
        directoryBits += 1
        allocatedBytes += size * 8
    }

    /// Moves the entries of `old` into its successors and points its part of the directory at them.
    private mutating func replace(
        _ old: UnsafeMutablePointer<KeyIndexSegment>, _ hash: UInt64,
        with successors: [UnsafeMutablePointer<KeyIndexSegment>]
    ) {
        let span = 1 << Int(directoryBits - old.pointee.depth)
        let first = Int(truncatingIfNeeded: hash >> (64 - directoryBits)) & ~(span - 1)
        let share = span / successors.count
        for position in 0..<span { directory[first + position] = successors[position / share] }
        for slot in 0..<old.pointee.capacity where old.pointee.slots[slot].isUsed {
            let entry = old.pointee.slots[slot]
            segment(entry.hash).pointee.insert(entry.hash, entry.offset)
        }
        allocatedBytes -= KeyIndexSegment.bytes(slots: old.pointee.capacity)
        for successor in successors {
            allocatedBytes += KeyIndexSegment.bytes(slots: successor.pointee.capacity)
        }
        KeyIndexSegment.destroy(old, pool: pool)
    }
}
