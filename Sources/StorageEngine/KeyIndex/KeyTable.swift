import Platform

/// Key hash → offset. Open addressing with linear probing in segments of at most 64 KiB, found through a directory of the
/// hash's top bits (extendible hashing, Fagin et al. 1979): growth splits one segment at a time, so no put ever waits for a
/// rehash of everything.
///
/// Holds full 64-bit hashes but no keys: the caller compares the key of the candidate's record. Not thread-safe.
struct KeyTable: ~Copyable {
    private var directory: UnsafeMutablePointer<UnsafeMutablePointer<KeyTableSegment>>
    private var directoryBits: UInt64 = 0
    private(set) var count = 0
    /// In memory: pages that lie in a file are not counted.
    private(set) var allocatedBytes: Int
    private let pages: any KeyPages

    init(pages: any KeyPages) {
        self.pages = pages
        directory = .allocate(capacity: 1)
        directory.initialize(to: KeyTableSegment(slotsBelowPage: KeyTableSegment.slotsMin, depth: 0).boxed())
        allocatedBytes = KeyTableSegment.bytes(slots: KeyTableSegment.slotsMin, pages) + 8
    }

    deinit {
        var position = 0
        let size = 1 << Int(directoryBits)
        while position < size {
            let segment = directory[position]
            position += 1 << Int(directoryBits - segment.pointee.depth)
            KeyTableSegment.destroy(segment, pages)
        }
        directory.deallocate()
    }

    @inline(__always)
    private func segment(_ hash: UInt64) -> UnsafeMutablePointer<KeyTableSegment> {
        // A shift by 64 gives 0 here: the smart shift.
        directory[Int(truncatingIfNeeded: hash >> (64 - directoryBits))]
    }

    /// Where an entry stands; valid until the next insertion or removal.
    struct Place {
        fileprivate let segment: UnsafeMutablePointer<KeyTableSegment>
        fileprivate let slot: Int
        var entry: KeyTableSegment.Slot { segment.pointee.slots[slot] }
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let segment = segment(hash)
        Platform.prefetch(segment.pointee.slots + segment.pointee.home(hash), bytes: 64)
    }

    /// The first entry with this hash. Another key may have it too: compare, then go on with `next`.
    @inline(__always)
    func first(_ hash: UInt64) -> Place? {
        let segment = segment(hash)
        return segment.pointee.first(hash).map { Place(segment: segment, slot: $0) }
    }

    func next(after place: Place, _ hash: UInt64) -> Place? {
        let segment = place.segment
        return segment.pointee.next(after: place.slot, hash).map { Place(segment: segment, slot: $0) }
    }

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
    /// - Returns: false when there is no page for it, and it is not there.
    mutating func insert(_ hash: UInt64, _ offset: Int64) -> Bool {
        while segment(hash).pointee.isFull { guard grow(hash) else { return false } }
        segment(hash).pointee.insert(hash, offset)
        count += 1
        return true
    }

    /// Gives memory back in the steps in which it was taken: a sparse segment joins its sparse buddy, or becomes half as
    /// large. Well below what makes it grow, so that it does not do both in turns.
    private mutating func shrink(_ hash: UInt64) {
        let old = segment(hash)
        let depth = old.pointee.depth
        guard depth > 0 else {
            let slots = old.pointee.capacity / 2
            if slots >= KeyTableSegment.slotsMin {
                replace(old, hash, with: [KeyTableSegment(slotsBelowPage: slots, depth: 0).boxed()])
            }
            return
        }
        let buddyHash = hash ^ (1 << (64 - depth))
        let buddy = segment(buddyHash)
        guard buddy.pointee.depth == depth, buddy.pointee.isSparse else { return }
        guard let page = pages.take() else { return }
        let union = KeyTableSegment(page: page, depth: depth - 1).boxed()
        replace(buddy, buddyHash, with: [union])
        // The union now stands in the buddy's part only, and is filled with its entries.
        let entries = old.pointee
        let span = 1 << Int(directoryBits - depth)
        let first = Int(truncatingIfNeeded: hash >> (64 - directoryBits)) & ~(span - 1)
        for position in 0..<span { directory[first + position] = union }
        for slot in 0..<entries.capacity where entries.slots[slot].isUsed {
            union.pointee.insert(entries.slots[slot].hash, entries.slots[slot].offset)
        }
        allocatedBytes -= KeyTableSegment.bytes(slots: entries.capacity, pages)
        KeyTableSegment.destroy(old, pages)
    }

    /// What is allocated, counted segment by segment.
    func walkedBytes() -> Int {
        let size = 1 << Int(directoryBits)
        var bytes = size * 8
        var position = 0
        while position < size {
            let segment = directory[position]
            bytes += KeyTableSegment.bytes(slots: segment.pointee.capacity, pages)
            position += 1 << Int(directoryBits - segment.pointee.depth)
        }
        return bytes
    }

    /// - Returns: false when there are no pages.
    private mutating func grow(_ hash: UInt64) -> Bool {
        let old = segment(hash)
        let depth = old.pointee.depth
        let slots = old.pointee.capacity * 2
        if slots < KeyTableSegment.slotsMax {
            replace(old, hash, with: [KeyTableSegment(slotsBelowPage: slots, depth: depth).boxed()])
            return true
        }
        guard let page = pages.take() else { return false }
        if slots == KeyTableSegment.slotsMax {
            replace(old, hash, with: [KeyTableSegment(page: page, depth: depth).boxed()])
            return true
        }
        guard let second = pages.take() else {
            pages.give(page)
            return false
        }
        if depth == directoryBits { doubleDirectory() }
        replace(
            old, hash, with: [page, second].map { KeyTableSegment(page: $0, depth: depth + 1).boxed() })
        return true
    }

    private mutating func doubleDirectory() {
        let size = 1 << Int(directoryBits)
        let grown = UnsafeMutablePointer<UnsafeMutablePointer<KeyTableSegment>>.allocate(capacity: size * 2)
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
        _ old: UnsafeMutablePointer<KeyTableSegment>, _ hash: UInt64,
        with successors: [UnsafeMutablePointer<KeyTableSegment>]
    ) {
        let span = 1 << Int(directoryBits - old.pointee.depth)
        let first = Int(truncatingIfNeeded: hash >> (64 - directoryBits)) & ~(span - 1)
        let share = span / successors.count
        for position in 0..<span { directory[first + position] = successors[position / share] }
        for slot in 0..<old.pointee.capacity where old.pointee.slots[slot].isUsed {
            let entry = old.pointee.slots[slot]
            segment(entry.hash).pointee.insert(entry.hash, entry.offset)
        }
        allocatedBytes -= KeyTableSegment.bytes(slots: old.pointee.capacity, pages)
        for successor in successors {
            allocatedBytes += KeyTableSegment.bytes(slots: successor.pointee.capacity, pages)
        }
        KeyTableSegment.destroy(old, pages)
    }
}
