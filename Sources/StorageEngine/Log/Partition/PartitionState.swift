import DequeModule
import Platform
import Synchronization

/// What a partition's lock protects. Offsets here are plain integers: this is the arithmetic of one partition.
///
/// Invariants: `cleaned <= first <= committed <= assigned`; every entry of the index points at a row that is in
/// `batches`; rows at or above `committed` are in no index and seen by nobody.
struct PartitionState: ~Copyable {
    /// Never used: a type that holds an atomic is passed by its address. Without one, whoever borrows the state is handed a copy
    /// of its 600 bytes, which took longer than an append.
    private let byAddress = Atomic<Bool>(false)
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
    var pending: Deque<CommitEntry> = []
    /// The last uncommitted entry that writes a key, by the key's hash.
    var pendingKeys: [UInt64: CommitEntry] = [:]
    /// Where what is written becomes durable; nil: entries commit as they are assigned.
    var commitLog: (any CommitLog)?
    /// The log's name on disk; nil: its batches are not written there.
    var durableID: LogID?
    /// Of a hybrid log: rows below are in the last checkpoint, and are what is left after a crash.
    var diskTail: Int64 = 0
    /// Of a hybrid log: rows below have to be in the next checkpoint, whatever their age.
    var diskTailWanted: Int64 = 0
    /// Of a hybrid log: what was superseded by rows that are not on disk, and by which: a crash would take it back.
    var uncertainDeaths: [(killer: Int64, victim: Int64)] = []
    /// Of a hybrid log: rewriting has put copies into memory of what is on disk; and since when that is known.
    var hasUnstoredCopies = false
    var copiesSince: Int64?
    /// Of a partition in memory mode that has pending entries, which a transaction shares with a durable one: what is
    /// written meanwhile waits there for its turn.
    var sharedCommitLog: (any CommitLog)?
    /// Of `appendedBytes`, what was handed to the commit log.
    var submittedBytes = 0
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
    /// A run of batches is being copied without the lock.
    var isRewriting = false
    /// Where `lru` eviction goes on.
    var hand: Int64 = 0
    /// Rows below left by eviction, not by trimming.
    var evictedBelow: Int64 = 0
    /// Keys that expired or were evicted in this step, for which the log leaves tombstones.
    var departures: [Departure] = []
    /// Data passed a watermark: the evictor has to be told, outside the lock.
    var needsEviction = false
    /// The index has grown past a limit: the next write has to make up for it first.
    var isOverLimit = false
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
        index = KeyIndex(pages: pool)
        self.account = account
        self.hashSeed = hashSeed
        chargeIndex()
    }

    /// The partition itself.
    static let fixedBytes = MemoryLayout<PartitionState>.stride + 192

    deinit { account.release(.index, chargedIndexBytes) }
}

/// A key that left without anybody's asking, and why.
struct Departure {
    let key: [UInt8]
    let type: RecordType
}

/// When batches go to disk, and when they leave memory, counted from their last arrival.
struct TierPolicy {
    let diskAfterMilliseconds: Int64
    let memoryMilliseconds: Int64
    /// Nil: nothing goes to an object store.
    let archive: Archive?

    struct Archive {
        let afterMilliseconds: Int64
    }

    /// Rows that arrived later than now did so by a clock that was set back since. How old they are nobody knows; old enough
    /// to move, or they, and all behind them, would wait for that clock.
    static func isOfAnotherClock(_ arrival: Int64, now: Int64) -> Bool {
        let adjustedMilliseconds: Int64 = 1000
        return arrival > addingSaturated(now, adjustedMilliseconds)
    }
}

/// The part of a log's configuration that a partition acts on.
struct PartitionPolicy {
    var compactsKeys: Bool
    /// Set for hybrid logs.
    var tiers: TierPolicy?
    var ttlMilliseconds: Int64?
    var eviction: LogConfiguration.Eviction
    /// Expired and evicted keys leave tombstones.
    var leavesTombstones: Bool
    /// A batch takes only a part of the memory there may be in all.
    var slabBytesMax: Int
    /// This partition's share of the log's retention limits.
    var retainedBytesMax: Int?
    var retainedRecordsMax: Int?
    var retainedAgeMillisecondsMax: Int64?

    /// - Parameter memoryBytesMax: of the server.
    init(_ configuration: LogConfiguration, memoryBytesMax: Int) {
        compactsKeys = configuration.compaction == .keys
        if configuration.mode == .hybrid {
            tiers = TierPolicy(
                diskAfterMilliseconds: configuration.hybrid.diskAfterMilliseconds,
                memoryMilliseconds: configuration.hybrid.memoryTTLMilliseconds,
                archive: configuration.hybrid.s3Archive.map { _ in
                    .init(afterMilliseconds: configuration.hybrid.archiveAfterMilliseconds)
                })
        }
        eviction = configuration.memory.eviction
        leavesTombstones = configuration.tombstones
        ttlMilliseconds = configuration.ttlMilliseconds
        let partitions = configuration.partitions
        retainedBytesMax = configuration.retention.maxBytes.map { max(1, $0 / partitions) }
        retainedRecordsMax = configuration.retention.maxRecords.map { max(1, $0 / partitions) }
        retainedAgeMillisecondsMax = configuration.retention.maxAgeMilliseconds
        // Small enough that dropping a whole batch keeps most of what may be kept.
        let memoryShare = (configuration.memory.maxBytes.map { $0 / partitions } ?? memoryBytesMax) / 64
        let target = min(memoryShare, memoryBytesMax / 64, retainedBytesMax.map { $0 / 8 } ?? Int.max)
        slabBytesMax = SlabPool.smallestSlabBytes
        while slabBytesMax < SlabPool.largestSlabBytes, slabBytesMax * 2 <= target { slabBytesMax *= 2 }
    }
}
