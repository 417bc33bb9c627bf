import Platform
import Synchronization

/// One thread that ends queries at their deadlines and keeps an eye on what DuckDB takes. It sleeps while there are none.
final class QueryWatch: Sendable {
    private static let tickNanoseconds: Int64 = 10_000_000
    /// Between two looks at DuckDB's memory: a look is a query of its own.
    private static let lookNanoseconds: Int64 = 100_000_000

    private let registry: QueryRegistry
    private let wakeUp = WakeUp()
    private let isStopping = Atomic<Bool>(false)
    /// It waits to be poked. Set before it looks whether there are queries, as they are registered before it is looked at.
    private let isAsleep = Atomic<Bool>(false)
    private let thread = Lock<Thread?>(nil)
    private let cancel: @Sendable (Query, SQLFailure) -> Void
    private let boundMemory: @Sendable (_ isIdle: Bool) -> Void
    private let chargeMemory: @Sendable () -> Void

    /// - Parameters:
    ///   - boundMemory: called from the thread all the time while there are queries, and when none is left.
    ///   - chargeMemory: the same, but only now and then.
    init(
        _ registry: QueryRegistry, cancel: @escaping @Sendable (Query, SQLFailure) -> Void,
        boundMemory: @escaping @Sendable (_ isIdle: Bool) -> Void,
        chargeMemory: @escaping @Sendable () -> Void
    ) {
        self.registry = registry
        self.cancel = cancel
        self.boundMemory = boundMemory
        self.chargeMemory = chargeMemory
    }

    func start() {
        thread.withLock { thread in
            if thread == nil { thread = Thread(name: "sql-watch") { [self] in run() } }
        }
    }

    /// There is a query. Not a system call while the watch ticks anyhow.
    func poke() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isAsleep.load(ordering: .sequentiallyConsistent) { wakeUp.signal() }
    }

    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wakeUp.signal()
        thread.withLock { $0 }?.join()
    }

    private func run() {
        var lookedAt: Int64 = 0
        while true {
            let generation = wakeUp.generation
            if isStopping.load(ordering: .sequentiallyConsistent) { return }
            let queries = registry.all
            let now = Clock.monotonicNanoseconds()
            for query in queries {
                if query.deadlineNanoseconds <= now {
                    cancel(query, .timeout(milliseconds: query.timeoutMilliseconds))
                }
                if query.phase == .waiting, query.waitDeadlineNanoseconds <= now {
                    cancel(query, .notVisible)
                }
                query.interruptAgain()
            }
            boundMemory(queries.isEmpty)
            if now - lookedAt >= Self.lookNanoseconds {
                chargeMemory()
                lookedAt = now
            }
            // One more look once there are none, so that what DuckDB gave back is not charged for ever.
            if queries.isEmpty, lookedAt == now {
                sleep(since: generation)
            } else {
                wakeUp.wait(since: generation, timeoutNanoseconds: Self.tickNanoseconds)
            }
        }
    }

    private func sleep(since generation: UInt32) {
        isAsleep.store(true, ordering: .sequentiallyConsistent)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if registry.isEmpty { wakeUp.wait(since: generation) }
        isAsleep.store(false, ordering: .sequentiallyConsistent)
    }
}
