/// The cache that eviction is measured against: exactly so many entries, a doubly linked list in arrays, O(1) each.
struct ExactCache {
    private static let none: Int32 = -1

    /// Whether a hit makes an entry young again: LRU, else FIFO in the order of the last puts.
    private let countsHits: Bool
    private let capacity: Int
    private var count = 0
    private var newer: [Int32]
    private var older: [Int32]
    private var isHeld: [Bool]
    private var newest = none
    private var oldest = none
    private(set) var misses = 0

    init(keys: Int, capacity: Int, countsHits: Bool) {
        self.capacity = capacity
        self.countsHits = countsHits
        newer = [Int32](repeating: Self.none, count: keys)
        older = [Int32](repeating: Self.none, count: keys)
        isHeld = [Bool](repeating: false, count: keys)
    }

    /// A get, and on a miss a put.
    mutating func get(_ key: Int) {
        if !isHeld[key] {
            misses += 1
            put(key)
        } else if countsHits {
            unlink(key)
            link(key)
        }
    }

    mutating func put(_ key: Int) {
        if isHeld[key] {
            unlink(key)
        } else {
            if count == capacity {
                let victim = Int(oldest)
                unlink(victim)
                isHeld[victim] = false
                count -= 1
            }
            isHeld[key] = true
            count += 1
        }
        link(key)
    }

    private mutating func link(_ key: Int) {
        older[key] = newest
        newer[key] = Self.none
        if newest != Self.none { newer[Int(newest)] = Int32(key) } else { oldest = Int32(key) }
        newest = Int32(key)
    }

    private mutating func unlink(_ key: Int) {
        let (before, after) = (older[key], newer[key])
        if before != Self.none { newer[Int(before)] = after } else { oldest = after }
        if after != Self.none { older[Int(after)] = before } else { newest = before }
    }
}
