import Metrics
import Platform
import Synchronization

/// What every log and partition of an engine shares.
final class EngineServices: Sendable {
    let clock: Clock
    let pool: SlabPool
    let notifier = Notifier()
    let maintenance: Maintenance
    let evictor: Evictor
    private let partitionsMade = Atomic<Int>(0)
    let memory: MemoryAccount
    /// Of key hashes in RAM: nobody can choose keys that collide.
    let hashSeed = UInt64.random(in: 0...UInt64.max)
    /// The commit log of a new log; nil for memory mode.
    let makeCommitLog: @Sendable (LogConfiguration) -> (any CommitLog)?
    /// Of threads of the engine's own.
    let reportFailure: @Sendable (String) -> Void
    /// Nil without a data directory.
    let storage: Storage?
    let archive: Archive

    init(
        clock: Clock, memory: MemoryAccount, warmBytesMax: Int, storage: Storage?, archive: Archive,
        reportFailure: @escaping @Sendable (String) -> Void,
        makeCommitLog: @escaping @Sendable (LogConfiguration) -> (any CommitLog)?
    ) {
        self.clock = clock
        self.memory = memory
        self.storage = storage
        self.archive = archive
        self.reportFailure = reportFailure
        self.makeCommitLog = makeCommitLog
        pool = SlabPool(warmBytesMax: warmBytesMax)
        evictor = Evictor(server: memory)
        evictor.onShedFetched { [cache = archive.cache] bytes in cache.shed(bytes: bytes) }
        maintenance = Maintenance(clock: clock, evictor: evictor)
    }

    /// What a write is told that has no room for what others hold.
    var heldMemory: EngineError {
        .memoryHeld(bytes: memory.bytes(.pinned) + memory.bytes(.buffers), limit: memory.limitBytes)
    }

    /// The place of a new partition in the order of locks.
    func nextPartitionSequence() -> Int { partitionsMade.wrappingAdd(1, ordering: .relaxed).newValue }
}
