/// The configuration of one log, every default filled in. Field names follow the JSON contract.
package struct LogConfiguration: Equatable, Sendable {
    package static let partitionsMax = 256

    package enum Mode: String, Sendable, CaseIterable { case memory, persistent, hybrid }
    package enum Compaction: String, Sendable, CaseIterable { case none, keys }
    package enum Eviction: String, Sendable, CaseIterable { case reject, fifo, lru, ttl, priority }
    package enum Synchronisation: String, Sendable, CaseIterable { case always, interval, never }
    package enum Verification: String, Sendable, CaseIterable { case none, merkle }

    package struct Retention: Equatable, Sendable {
        package var maxBytes: Int?
        package var maxAgeMilliseconds: Int64?
        package var maxRecords: Int?
        package init() {}
    }

    package struct Memory: Equatable, Sendable {
        package var maxBytes: Int?
        package var eviction = Eviction.reject
        package var watermark = 0.9
        package init() {}
    }

    package struct Durability: Equatable, Sendable {
        package var acknowledgement = Acknowledgement.memory
        package var synchronisation = Synchronisation.always
        package var synchronisationIntervalMilliseconds: Int64 = 10
        package init() {}
    }

    package struct Hybrid: Equatable, Sendable {
        package var memoryTTLMilliseconds: Int64 = 3_600_000
        package var diskAfterMilliseconds: Int64 = 3_600_000
        package var localDisk = true
        package var diskFallback = true
        package var s3Archive: String?
        package var s3AfterMilliseconds: Int64?
        /// A day, where there is an archive and nothing is said.
        static let archiveAfterMillisecondsDefault: Int64 = 86_400_000
        var archiveAfterMilliseconds: Int64 { s3AfterMilliseconds ?? Self.archiveAfterMillisecondsDefault }
        package init() {}
    }

    package struct Replication: Equatable, Sendable {
        package var factor = 1
        package var writeQuorum = 1
        package init() {}
    }

    package var mode = Mode.memory
    package var partitions = 1
    package var ttlMilliseconds: Int64?
    package var compaction = Compaction.none
    package var tombstones = false
    package var retention = Retention()
    package var memory = Memory()
    package var durability = Durability()
    package var hybrid = Hybrid()
    package var replication = Replication()
    /// Declared SQL types by field name, in the order given.
    package var schema: [SchemaField] = []
    package var verification = Verification.none

    package struct SchemaField: Equatable, Sendable {
        package let name: String
        package let type: String
        package init(name: String, type: String) {
            self.name = name
            self.type = type
        }

        /// Letters, digits and what stands around them in the name of a type.
        var isPlain: Bool {
            !type.isEmpty && type.utf8.count <= 256
                && type.unicodeScalars.allSatisfy {
                    $0.properties.isAlphabetic || $0.isASCII && "0123456789_(), ".unicodeScalars.contains($0)
                }
        }
    }

    package init() {}

    /// Refuses what is out of range, and documented features that are not built yet.
    package func validate() throws(EngineError) {
        guard (1...Self.partitionsMax).contains(partitions) else {
            throw .invalidConfiguration(
                field: "partitions", reason: "must be from 1 to \(Self.partitionsMax)")
        }
        guard memory.watermark > 0, memory.watermark <= 1 else {
            throw .invalidConfiguration(field: "memory.watermark", reason: "must be above 0 and at most 1")
        }
        try validateDuration("ttl_ms", ttlMilliseconds)
        try validatePositive("retention.max_bytes", retention.maxBytes.map(Int64.init))
        try validateDuration("retention.max_age_ms", retention.maxAgeMilliseconds)
        try validatePositive("retention.max_records", retention.maxRecords.map(Int64.init))
        try validatePositive("memory.max_bytes", memory.maxBytes.map(Int64.init))
        try validateDuration("hybrid.s3_after_ms", hybrid.s3AfterMilliseconds)
        try validateDuration("hybrid.memory_ttl_ms", hybrid.memoryTTLMilliseconds)
        try validateDuration("hybrid.disk_after_ms", hybrid.diskAfterMilliseconds)
        try validateDuration("durability.fsync_interval_ms", durability.synchronisationIntervalMilliseconds)
        for field in schema where !field.isPlain {
            throw .invalidConfiguration(field: "schema.\(field.name.prefix(64))", reason: "has no plain type")
        }
        if mode == .hybrid, !hybrid.localDisk { throw .notImplemented(feature: "hybrid.local_disk false") }
        if replication != Replication() { throw .notImplemented(feature: "replication") }
        if verification != .none { throw .notImplemented(feature: "verification \(verification.rawValue)") }
        let available = availableAcknowledgement
        if durability.acknowledgement > available {
            throw .acknowledgementUnavailable(requested: durability.acknowledgement, available: available)
        }
    }

    /// Whether its records leave memory when that is short: for good, or to the disk.
    var givesWay: Bool { memory.eviction != .reject || spills }
    /// A full memory sends what is coldest to the disk, where it stays readable.
    var spills: Bool { mode == .persistent || (mode == .hybrid && hybrid.diskFallback) }

    /// The most that a write can be acknowledged from.
    package var availableAcknowledgement: Acknowledgement {
        mode == .persistent && durability.synchronisation == .always ? .disk : .memory
    }

    /// Ten thousand years: what comes from elsewhere, and is added to a time, must not overflow.
    package static let millisecondsMax: Int64 = 315_360_000_000_000

    private func validateDuration(_ field: String, _ value: Int64?) throws(EngineError) {
        guard let value else { return }
        guard (1...Self.millisecondsMax).contains(value) else {
            throw .invalidConfiguration(field: field, reason: "must be from 1 to \(Self.millisecondsMax)")
        }
    }

    private func validatePositive(_ field: String, _ value: Int64?) throws(EngineError) {
        guard let value else { return }
        if value < 1 { throw .invalidConfiguration(field: field, reason: "must be at least 1, or null") }
    }
}
