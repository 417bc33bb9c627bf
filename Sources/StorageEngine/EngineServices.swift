import Metrics
import Platform

/// What every log and partition of an engine shares.
final class EngineServices: Sendable {
    let clock: Clock
    let pool = SlabPool()
    let notifier = Notifier()
    let maintenance: Maintenance
    let memory: MemoryAccount
    /// Of key hashes in RAM: nobody can choose keys that collide.
    let hashSeed = UInt64.random(in: 0...UInt64.max)
    /// The commit log of a new log; nil for memory mode.
    let makeCommitLog: @Sendable (LogConfiguration) -> (any CommitLog)?

    init(
        clock: Clock, memory: MemoryAccount,
        makeCommitLog: @escaping @Sendable (LogConfiguration) -> (any CommitLog)?
    ) {
        self.clock = clock
        self.memory = memory
        self.makeCommitLog = makeCommitLog
        maintenance = Maintenance(clock: clock)
    }
}
