import JSON
import StorageEngine

extension LogConfiguration {
    /// The whole configuration with every default, in the order of the documentation.
    package var json: JSONValue {
        .object([
            .init("mode", .string(mode.rawValue)),
            .init("partitions", .integer(Int64(partitions))),
            .init("ttl_ms", .optional(ttlMilliseconds)),
            .init("compaction", .string(compaction.rawValue)),
            .init("tombstones", .bool(tombstones)),
            .init("retention", retention.json),
            .init("memory", memory.json),
            .init("durability", durability.json),
            .init("hybrid", hybrid.json),
            .init("replication", replication.json),
            .init("schema", .object(schema.map { .init($0.name, .string($0.type)) })),
            .init("verification", .string(verification.rawValue)),
        ])
    }
}

extension LogConfiguration.Retention {
    fileprivate var json: JSONValue {
        .object([
            .init("max_bytes", .optional(maxBytes.map(Int64.init))),
            .init("max_age_ms", .optional(maxAgeMilliseconds)),
            .init("max_records", .optional(maxRecords.map(Int64.init))),
        ])
    }
}

extension LogConfiguration.Memory {
    fileprivate var json: JSONValue {
        .object([
            .init("max_bytes", .optional(maxBytes.map(Int64.init))),
            .init("eviction", .string(eviction.rawValue)),
            .init("watermark", .real(watermark)),
        ])
    }
}

extension LogConfiguration.Durability {
    fileprivate var json: JSONValue {
        .object([
            .init("ack", .string(acknowledgement.rawValue)),
            .init("fsync", .string(synchronisation.rawValue)),
            .init("fsync_interval_ms", .integer(synchronisationIntervalMilliseconds)),
        ])
    }
}

extension LogConfiguration.Hybrid {
    fileprivate var json: JSONValue {
        .object([
            .init("memory_ttl_ms", .integer(memoryTTLMilliseconds)),
            .init("disk_after_ms", .integer(diskAfterMilliseconds)),
            .init("local_disk", .bool(localDisk)),
            .init("disk_fallback", .bool(diskFallback)),
            .init("s3_archive", s3Archive.map { .string($0) } ?? .null),
            .init("s3_after_ms", .optional(s3AfterMilliseconds)),
        ])
    }
}

extension LogConfiguration.Replication {
    fileprivate var json: JSONValue {
        .object([
            .init("factor", .integer(Int64(factor))), .init("write_quorum", .integer(Int64(writeQuorum))),
        ])
    }
}

extension JSONValue {
    static func optional(_ integer: Int64?) -> JSONValue { integer.map { .integer($0) } ?? .null }
}
