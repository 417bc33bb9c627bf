import Platform

/// What a partition's lock protects. Offsets here are plain integers: this is the arithmetic of one partition.
///
/// Invariants: `cleaned <= first <= committed <= assigned`; every entry of the index points at a row that is in
/// `batches`; rows at or above `committed` are in no index and seen by nobody.
struct PartitionState: ~Copyable {
    var list = BatchList()
    var index: KeyIndex
    /// The batch that takes the next row, the last of the list.
    var active: UnsafeMutablePointer<BatchHeader>?
    /// The next offset to be given.
    var assigned: Int64 = 0
    /// Visible up to here.
    var committed: Int64 = 0
    /// Nothing below is readable: trimmed, or past retention.
    var first: Int64 = 0
    /// Below, keys have left the index and batches are freed; it follows `first` in steps.
    var cleaned: Int64 = 0
    /// Entries handed to the commit log, oldest first. Always empty in memory mode.
    var pending: [CommitEntry] = []
    /// The last uncommitted entry that writes a key, by the key's hash.
    var pendingKeys: [UInt64: CommitEntry] = [:]
    /// Why the partition takes no more writes.
    var failure: String?
    var isDeleted = false

    var policy: PartitionPolicy
    var nextSlabBytes = SlabPool.smallestSlabBytes
    var chargedIndexBytes = 0
    let pool: SlabPool
    let account: MemoryAccount
    /// Of the table in RAM; differs in every process.
    let hashSeed: UInt64

    var waiters: [ObjectIdentifier: ReadWaiter] = [:]
    var notifierKnows = false
    /// When the maintenance thread comes next; `Deadline.never` if it need not.
    var maintenanceDue = Deadline.never
    /// A new due time that the maintenance thread has to be told, outside the lock.
    var maintenanceRequest = Deadline.never
    var hasReclaimable = false
    /// A batch was opened since `max_bytes` was last looked at.
    var hasOpenedBatch = false

    var appendedCount = 0
    var appendedBytes = 0
    var expiredCount = 0
    var trimmedCount = 0
    var evictedCount = 0

    init(policy: PartitionPolicy, pool: SlabPool, account: MemoryAccount, hashSeed: UInt64) {
        self.policy = policy
        self.pool = pool
        index = KeyIndex(pool: pool)
        self.account = account
        self.hashSeed = hashSeed
    }

    deinit { account.release(.index, chargedIndexBytes) }
}

/// The part of a log's configuration that a partition acts on.
struct PartitionPolicy {
    var compactsKeys: Bool
    var ttlMilliseconds: Int64?
    /// This partition's share of the log's retention limits.
    var retainedBytesMax: Int?
    var retainedRecordsMax: Int?
    var retainedAgeMillisecondsMax: Int64?

    init(_ configuration: LogConfiguration) {
        compactsKeys = configuration.compaction == .keys
        ttlMilliseconds = configuration.ttlMilliseconds
        let partitions = configuration.partitions
        retainedBytesMax = configuration.retention.maxBytes.map { max(1, $0 / partitions) }
        retainedRecordsMax = configuration.retention.maxRecords.map { max(1, $0 / partitions) }
        retainedAgeMillisecondsMax = configuration.retention.maxAgeMilliseconds
    }

    /// Small enough that dropping a whole batch keeps most of what may be kept.
    var slabBytesMax: Int {
        guard let retainedBytesMax else { return SlabPool.largestSlabBytes }
        var bytes = SlabPool.smallestSlabBytes
        while bytes < SlabPool.largestSlabBytes, bytes * 2 <= retainedBytesMax / 8 { bytes *= 2 }
        return bytes
    }
}
