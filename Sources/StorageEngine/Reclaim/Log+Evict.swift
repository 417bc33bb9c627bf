import Platform

// One log gives way until it is small enough.
extension Log {
    /// What of its data the log may give up. - Complexity: O(records) for `ttl`, else O(1).
    func evictableBytes() -> Int {
        if configuration.spills { return account.bytes(.payload) }
        return switch configuration.memory.eviction {
        case .reject: 0
        case .fifo, .lru, .priority: account.bytes(.payload)
        case .ttl: EvictionThreshold(views: cut().views).bytesWithDeadline()
        }
    }

    /// What rewriting could give back, about. - Complexity: O(batches).
    func deadBytes() -> Int {
        partitions.reduce(0) { $0 + $1.state.withLock { state in state.deadBytes() } }
    }

    /// Gives memory back by rewriting what is dead already. - Returns: whether anything came back.
    func compact(keptShareMax: Double) -> Bool {
        var freed = 0
        for partition in partitions { freed += partition.rewriteWorstRun(keptShareMax: keptShareMax) }
        return freed > 0
    }

    /// One round of eviction: takes about `bytes` of rows, and rewrites what they leave behind.
    /// - Returns: false when the policy has nothing more to give.
    func evictRound(bytes: Int) -> Bool {
        if compact(keptShareMax: Partition.Eagerness.overWatermark) { return true }
        if configuration.spills, spill(bytes: bytes) { return true }
        return switch configuration.memory.eviction {
        case .reject: false
        case .fifo: evictOldest()
        case .lru: evictUnvisited()
        case .ttl: evictNearestDeadlines(bytes)
        case .priority: evictLowestPriority(bytes)
        }
    }

    private func evictOldest() -> Bool {
        var oldest: (arrival: Int64, partition: Partition)?
        for partition in partitions {
            guard let arrival = partition.state.withLock({ $0.oldestArrival() }) else { continue }
            if oldest.map({ arrival < $0.arrival }) ?? true { oldest = (arrival, partition) }
        }
        return oldest?.partition.evictOldestBatch() ?? false
    }

    /// A batch of each partition: hashing has filled them alike.
    private func evictUnvisited() -> Bool {
        var isProgress = false
        for partition in partitions where partition.evictUnvisited() { isProgress = true }
        return isProgress
    }

    private func evictNearestDeadlines(_ bytes: Int) -> Bool {
        guard let deadline = EvictionThreshold(views: cut().views).deadline(worth: bytes) else {
            return false
        }
        for partition in partitions { partition.evict { $0.deadline($1) <= deadline } }
        return true
    }

    private func evictLowestPriority(_ bytes: Int) -> Bool {
        let tombstonesFrom = configuration.tombstones ? partitions[0].tombstonesFrom : nil
        let threshold = EvictionThreshold(views: cut().views, tombstonesFrom: tombstonesFrom)
        guard let (priority, batches) = threshold.lowestPriority(worth: bytes) else { return false }
        for (partition, range) in batches {
            partitions[partition].evict(from: range.lowerBound, to: range.upperBound) {
                $0.priority($1) == priority
            }
        }
        return true
    }
}
