import Platform
import StorageEngine

/// The logs of the churn: every eviction policy, with and without compaction and tombstones, 1 to 5 partitions.
enum ChurnLogs {
    static let logBytes = 4 << 20
    static let serverBytes = 24 << 20

    private typealias Kind = (
        eviction: LogConfiguration.Eviction, compaction: LogConfiguration.Compaction, partitions: Int,
        tombstones: Bool
    )

    private static let kinds: [Kind] = [
        (.reject, .keys, 4, true), (.reject, .keys, 1, false), (.reject, .none, 2, false),
        (.fifo, .none, 1, false),
        (.fifo, .keys, 3, true), (.lru, .keys, 3, false), (.lru, .none, 1, true), (.ttl, .keys, 2, true),
        (.priority, .keys, 5, false), (.priority, .none, 1, true),
    ]

    static func make(_ test: TestEngine) throws -> [ShadowLog] {
        try kinds.enumerated().map { number, kind in
            let log = try test.log("\(number)-\(kind.eviction.rawValue)-\(kind.compaction.rawValue)") {
                $0.partitions = kind.partitions
                $0.compaction = kind.compaction
                $0.tombstones = kind.tombstones
                // One of those that never give way is small enough to refuse writes.
                let isSmall = kind.eviction == .reject && kind.partitions == 1
                $0.memory.maxBytes = isSmall ? logBytes / 4 : logBytes
                $0.memory.eviction = kind.eviction
                // A log that neither compacts nor evicts would be full for ever.
                if kind.eviction == .reject, kind.compaction == .none { $0.retention.maxBytes = logBytes / 2 }
            }
            return ShadowLog(log)
        }
    }
}
