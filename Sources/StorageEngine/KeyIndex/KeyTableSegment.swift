/// One segment of a key table: a power of two of 16-byte slots, probed linearly, deleted from by shifting back.
///
/// Every run begins at a cache line, and a look-up compares a whole line without a branch. What it waits for is the miss of
/// that line: a branch between two slots of it would be guessed wrong every third time, and then nothing that comes after,
/// the next look-up above all, is begun before the line is there.
struct KeyTableSegment {
    struct Slot {
        var hash: UInt64
        var offset: Int64
        static let unused = Slot(hash: 0, offset: -1)
        var isUsed: Bool { offset >= 0 }
    }

    /// Of a cache line.
    private static let groupSlots = 4
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
        let stride = MemoryLayout<Slot>.stride
        let memory = UnsafeMutableRawPointer.allocate(
            byteCount: capacity * stride, alignment: Self.groupSlots * stride)
        let slots = memory.bindMemory(to: Slot.self, capacity: capacity)
        self.init(slots: slots, capacity: capacity, depth: depth)
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
            UnsafeMutableRawPointer(segment.pointee.slots).deallocate()
        }
        segment.deallocate()
    }

    /// At 7/8 the expected probe length of a miss is still a few cache lines.
    var isFull: Bool { count >= capacity - capacity / 8 }

    /// Two like this fit one half full.
    var isSparse: Bool { count < capacity / 8 }

    /// Low bits choose the group: the directory has used the high ones.
    @inline(__always)
    func home(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (capacity &- Self.groupSlots) }

    @inline(__always)
    private func slot(after slot: Int) -> Int { (slot &+ 1) & (capacity &- 1) }

    /// The first slot of the run that holds this hash.
    @inline(__always)
    func first(_ hash: UInt64) -> Int? {
        var group = home(hash)
        while true {
            let found = equal(hash, in: group)
            if found != 0 {
                let slot = group &+ found.trailingZeroBitCount
                // Unused slots have a hash as well; no entry of a run stands behind one.
                return slots[slot].isUsed ? slot : nil
            }
            if !slots[group &+ Self.groupSlots &- 1].isUsed { return nil }
            group = (group &+ Self.groupSlots) & (capacity &- 1)
        }
    }

    /// A bit for each slot of the group.
    @inline(__always)
    private func equal(_ hash: UInt64, in group: Int) -> Int {
        func bit(_ slot: Int) -> Int { slots[group &+ slot].hash == hash ? 1 &<< slot : 0 }
        return bit(0) | bit(1) | bit(2) | bit(3)
    }

    /// The next slot of the run, behind one of this hash.
    func next(after slot: Int, _ hash: UInt64) -> Int? {
        var slot = self.slot(after: slot)
        while slots[slot].isUsed {
            if slots[slot].hash == hash { return slot }
            slot = self.slot(after: slot)
        }
        return nil
    }

    /// - Precondition: not full, and the key is not there.
    mutating func insert(_ hash: UInt64, _ offset: Int64) {
        var slot = home(hash)
        while slots[slot].isUsed { slot = self.slot(after: slot) }
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
