import JSON
import SQL
import StorageEngine

/// Reads a log's configuration strictly; the same for the API and for `serve --init`.
extension LogConfiguration {
    /// 10,000 years.
    private static let durations: ClosedRange<Int64> = 1...315_360_000_000_000
    private static let positive: ClosedRange<Int64> = 1...Int64.max
    private static let replicas: ClosedRange<Int64> = 1...5
    private static let schemaFieldsMax = 1000
    private static let schemaTypeBytesMax = 128

    /// - Parameter base: holds for every field that is not given.
    /// - Throws: a `FieldFailure` that names the field by its path. Features that are not built yet pass here and are
    ///   refused by `validate()`.
    package init(json: JSONValue, base: LogConfiguration = LogConfiguration()) throws {
        self = base
        var reader = try ObjectReader(json)
        mode = try reader.choice("mode", Mode.self) ?? mode
        if let count = try reader.integer("partitions", in: 1...Int64(Self.partitionsMax)) {
            partitions = Int(count)
        }
        try reader.nullableMilliseconds("ttl_ms", in: Self.durations).assign(to: &ttlMilliseconds)
        compaction = try reader.choice("compaction", Compaction.self) ?? compaction
        tombstones = try reader.bool("tombstones") ?? tombstones
        verification = try reader.choice("verification", Verification.self) ?? verification
        if let part = try reader.object("retention") { try readRetention(part) }
        if let part = try reader.object("memory") { try readMemory(part) }
        var givesAcknowledgement = false
        if let part = try reader.object("durability") { givesAcknowledgement = try readDurability(part) }
        // What is not said follows from the mode, unless it was said before.
        if !givesAcknowledgement { followMode(of: base) }
        if let part = try reader.object("hybrid") { try readHybrid(part) }
        if let part = try reader.object("replication") { try readReplication(part) }
        if let part = try reader.object("schema") { try readSchema(part) }
        try reader.finish()
    }

    /// Writes are acknowledged from the most that the mode gives, as they were before.
    package mutating func followMode(of other: LogConfiguration) {
        if other.durability.acknowledgement == other.availableAcknowledgement {
            durability.acknowledgement = availableAcknowledgement
        }
    }

    private mutating func readRetention(_ part: consuming ObjectReader) throws(FieldFailure) {
        try part.nullableBytes("max_bytes", in: Self.positive).map { Int($0) }.assign(to: &retention.maxBytes)
        try part.nullableMilliseconds("max_age_ms", in: Self.durations)
            .assign(to: &retention.maxAgeMilliseconds)
        try part.nullableInteger("max_records", in: Self.positive).map { Int($0) }
            .assign(to: &retention.maxRecords)
        try part.finish()
    }

    private mutating func readMemory(_ part: consuming ObjectReader) throws(FieldFailure) {
        try part.nullableBytes("max_bytes", in: Self.positive).map { Int($0) }.assign(to: &memory.maxBytes)
        memory.eviction = try part.choice("eviction", Eviction.self) ?? memory.eviction
        // 0 is within the range that JSON can say, and refused by `validate()`.
        memory.watermark = try part.real("watermark", in: 0...1) ?? memory.watermark
        try part.finish()
    }

    /// - Returns: whether it says what writes are acknowledged from.
    private mutating func readDurability(_ part: consuming ObjectReader) throws(FieldFailure) -> Bool {
        let acknowledgement = try part.choice("ack", Acknowledgement.self)
        durability.acknowledgement = acknowledgement ?? durability.acknowledgement
        durability.synchronisation =
            try part.choice("fsync", Synchronisation.self) ?? durability.synchronisation
        durability.synchronisationIntervalMilliseconds =
            try part.milliseconds("fsync_interval_ms", in: Self.durations)
            ?? durability.synchronisationIntervalMilliseconds
        try part.finish()
        return acknowledgement != nil
    }

    private mutating func readHybrid(_ part: consuming ObjectReader) throws(FieldFailure) {
        hybrid.memoryTTLMilliseconds =
            try part.milliseconds("memory_ttl_ms", in: Self.durations) ?? hybrid.memoryTTLMilliseconds
        hybrid.diskAfterMilliseconds =
            try part.milliseconds("disk_after_ms", in: Self.durations) ?? hybrid.diskAfterMilliseconds
        hybrid.localDisk = try part.bool("local_disk") ?? hybrid.localDisk
        hybrid.diskFallback = try part.bool("disk_fallback") ?? hybrid.diskFallback
        try part.nullableString("s3_archive").assign(to: &hybrid.s3Archive)
        try part.nullableMilliseconds("s3_after_ms", in: Self.durations)
            .assign(to: &hybrid.s3AfterMilliseconds)
        try part.finish()
    }

    private mutating func readReplication(_ part: consuming ObjectReader) throws(FieldFailure) {
        if let factor = try part.integer("factor", in: Self.replicas) { replication.factor = Int(factor) }
        if let quorum = try part.integer("write_quorum", in: Self.replicas) {
            replication.writeQuorum = Int(quorum)
        }
        try part.finish()
    }

    private mutating func readSchema(_ part: consuming ObjectReader) throws(FieldFailure) {
        let names = part.unreadNames
        guard names.count <= Self.schemaFieldsMax else {
            throw FieldFailure(
                .outOfRange, path: part.path,
                message: "\(part.path) must declare at most \(Self.schemaFieldsMax) fields.")
        }
        var fields: [SchemaField] = []
        for name in names {
            let type = try part.string(name) ?? ""
            guard (1...Self.schemaTypeBytesMax).contains(type.utf8.count) else {
                let path = part.fullPath(name)
                throw FieldFailure(
                    .outOfRange, path: path,
                    message: "\(path) must name a type, such as BIGINT or DECIMAL(18,4).")
            }
            guard isFieldType(type) else {
                let path = part.fullPath(name)
                throw FieldFailure(
                    .outOfRange, path: path,
                    message:
                        "\(path) is no scalar SQL type; use one such as BIGINT, VARCHAR or DECIMAL(18,4).")
            }
            fields.append(SchemaField(name: name, type: type))
        }
        schema = fields
    }
}

extension Presence {
    func map<Mapped: Sendable>(_ transform: (Value) -> Mapped) -> Presence<Mapped> {
        switch self {
        case .absent: .absent
        case .null: .null
        case .value(let value): .value(transform(value))
        }
    }
}
