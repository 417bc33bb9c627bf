/// One segment of a key table: a power of two of 16-byte slots, probed linearly, deleted from by shifting back.
struct KeyTableSegment {
    struct Slot {
        var hash: UInt64
        var offset: Int64
        static let unused = Slot(hash: 0, offset: -1)
        var isUsed: Bool { offset >= 0 }
    }

    static let slotsMin = 16
    /// A page: splitting one stays below half a millisecond.
    static let slotsMax = SlabPool.indexSlabBytes / MemoryLayout<Slot>.stride

    let slots: UnsafeMutablePointer<Slot>
    let capacity: Int
    /// How many top bits of the hash all its entries share.
    let depth: UInt64
    private(set) var count = 0

    /// In memory.
    static func bytes(slots: Int, _ pages: any KeyPages) -> Int {
        let isOnDisk = slots == slotsMax && pages.areOnDisk
        return (isOnDisk ? 0 : slots * MemoryLayout<Slot>.stride) + MemoryLayout<KeyTableSegment>.stride
    }

    /// Below a page they come from malloc.
    init(slotsBelowPage capacity: Int, depth: UInt64) {
        self.init(slots: .allocate(capacity: capacity), capacity: capacity, depth: depth)
    }

    init(page: UnsafeMutableRawPointer, depth: UInt64) {
        self.init(
            slots: page.bindMemory(to: Slot.self, capacity: Self.slotsMax), capacity: Self.slotsMax,
            depth: depth)
    }

    private init(slots: UnsafeMutablePointer<Slot>, capacity: Int, depth: UInt64) {
        self.slots = slots
        self.capacity = capacity
        self.depth = depth
        slots.initialize(repeating: .unused, count: capacity)
    }

    func boxed() -> UnsafeMutablePointer<KeyTableSegment> {
        let segment = UnsafeMutablePointer<KeyTableSegment>.allocate(capacity: 1)
        segment.initialize(to: self)
        return segment
    }

    static func destroy(_ segment: UnsafeMutablePointer<KeyTableSegment>, _ pages: any KeyPages) {
        if segment.pointee.capacity == slotsMax {
            pages.give(UnsafeMutableRawPointer(segment.pointee.slots))
        } else {
            segment.pointee.slots.deallocate()
        }
        segment.deallocate()
    }

    /// At 7/8 the expected probe length of a miss is still a few cache lines.
    var isFull: Bool { count >= capacity - capacity / 8 }

    /// Two like this fit one half full.
    var isSparse: Bool { count < capacity / 8 }

    /// Low bits choose the slot: the directory has used the high ones.
    @inline(__always)
    func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity &- 1) }

    @inline(__always)
    func slot(after slot: Int) -> Int { (slot &+ 1) & (capacity &- 1) }

    /// The next slot of the run, from `start` on, that holds this hash.
    @inline(__always)
    func find(_ hash: UInt64, from start: Int) -> Int? {
        var slot = start
        while slots[slot].isUsed {
            if slots[slot].hash == hash { return slot }
            slot = self.slot(after: slot)
        }
        return nil
    }

    /// - Precondition: not full, and the key is not there.
    mutating func insert(_ hash: UInt64, _ offset: Int64) {
        var slot = home(hash)
        while slots[slot].isUsed { slot = (slot &+ 1) & (capacity &- 1) }
        slots[slot] = Slot(hash: hash, offset: offset)
        count += 1
    }

    /// Closes the gap by moving later entries of the same run forward (Knuth, TAOCP 3, 6.4, algorithm R).
    mutating func remove(_ removed: Int) {
        var gap = removed
        var slot = (gap &+ 1) & (capacity &- 1)
        while slots[slot].isUsed {
            let wanted = home(slots[slot].hash)
            let distanceFromHome = (slot &- wanted) & (capacity &- 1)
            let distanceFromGap = (slot &- gap) & (capacity &- 1)
            if distanceFromHome >= distanceFromGap {
                slots[gap] = slots[slot]
                gap = slot
            }
            slot = (slot &+ 1) & (capacity &- 1)
        }
        slots[gap] = .unused
        count -= 1
    }
}
