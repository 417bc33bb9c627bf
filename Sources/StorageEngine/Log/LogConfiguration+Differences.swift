extension LogConfiguration {
    /// The dotted names of the fields that differ.
    package func differences(from other: LogConfiguration) -> [String] {
        fixedDifferences(from: other) + changeableDifferences(from: other)
    }

    /// Of those, the ones that cannot change once a log exists.
    func fixedDifferences(from other: LogConfiguration) -> [String] {
        [
            ("partitions", partitions == other.partitions),
            ("compaction", compaction == other.compaction),
            ("replication", replication == other.replication),
            ("verification", verification == other.verification),
        ].filter { !$0.1 }.map(\.0)
    }

    /// Whether it takes more than looking at other limits: see `Engine.changeMode`.
    package func changesMode(to other: LogConfiguration) -> Bool {
        mode != other.mode || durability != other.durability
    }

    private func changeableDifferences(from other: LogConfiguration) -> [String] {
        [
            ("mode", mode == other.mode), ("durability", durability == other.durability),
            ("hybrid", hybrid == other.hybrid), ("tombstones", tombstones == other.tombstones),
            ("ttl_ms", ttlMilliseconds == other.ttlMilliseconds),
            ("retention.max_bytes", retention.maxBytes == other.retention.maxBytes),
            ("retention.max_age_ms", retention.maxAgeMilliseconds == other.retention.maxAgeMilliseconds),
            ("retention.max_records", retention.maxRecords == other.retention.maxRecords),
            ("memory.max_bytes", memory.maxBytes == other.memory.maxBytes),
            ("memory.eviction", memory.eviction == other.memory.eviction),
            ("memory.watermark", memory.watermark == other.memory.watermark),
            ("schema", schema == other.schema),
        ].filter { !$0.1 }.map(\.0)
    }
}
