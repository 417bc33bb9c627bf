import StorageEngine

/// Checks that what leaves is worth less than what stays. Between two looks every round of eviction takes from what is
/// lowest in the log; a key that was there at both looks was there in every round, so nothing above it may have left.
struct EvictionOrder {
    /// By key: where it was at the last look; -1: absent.
    private var seen: [Int64]
    /// By key: the put that is known to have left.
    private var gone: [Int64]
    private(set) var evicted = 0
    private(set) var survivors = 0

    init(keys: Int) {
        seen = [Int64](repeating: -1, count: keys)
        gone = [Int64](repeating: -1, count: keys)
    }

    /// - Parameter worth: of a key as it was put last: a class, or a deadline; `Int64.max` never leaves.
    mutating func look(_ cache: LogCache, worth: (Int) -> Int64) throws {
        try cache.settle()
        var highestEvicted = Int64.min
        var lowestSurvivor = Int64.max
        (evicted, survivors) = (0, 0)
        for key in seen.indices where cache.offsets[key] >= 0 {
            guard let offset = try cache.liveOffset(key) else {
                seen[key] = -1
                if gone[key] == cache.offsets[key] { continue }
                gone[key] = cache.offsets[key]
                evicted += 1
                let worth = worth(key)
                try require(worth < Int64.max, "key \(key), which nothing may evict, is gone")
                highestEvicted = max(highestEvicted, worth)
                continue
            }
            if seen[key] == offset {
                survivors += 1
                lowestSurvivor = min(lowestSurvivor, worth(key))
            }
            seen[key] = offset
        }
        try require(
            highestEvicted <= lowestSurvivor,
            "\(highestEvicted) was evicted while \(lowestSurvivor) was there and stayed")
    }
}
