import Platform
import Synchronization

/// One thread that ends queries at their deadlines and keeps an eye on what DuckDB takes. It sleeps while there are none.
final class QueryWatch: Sendable {
    private static let tickNanoseconds: Int64 = 20_000_000
    /// Between two looks at DuckDB's memory: a look is a query of its own.
    private static let lookNanoseconds: Int64 = 100_000_000

    private let registry: QueryRegistry
    private let wakeUp = WakeUp()
    private let isStopping = Atomic<Bool>(false)
    private let thread = Lock<Thread?>(nil)
    private let cancel: @Sendable (Query, SQLFailure) -> Void
    private let onTick: @Sendable () -> Void

    /// - Parameter onTick: called from the thread now and then while there are queries, and once when none is left.
    init(
        _ registry: QueryRegistry, cancel: @escaping @Sendable (Query, SQLFailure) -> Void,
        onTick: @escaping @Sendable () -> Void
    ) {
        self.registry = registry
        self.cancel = cancel
        self.onTick = onTick
    }

    func start() {
        thread.withLock { thread in
            if thread == nil { thread = Thread(name: "sql-watch") { [self] in run() } }
        }
    }

    /// There is a query.
    func poke() { wakeUp.signal() }

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
            if now - lookedAt >= Self.lookNanoseconds {
                onTick()
                lookedAt = now
            }
            // One more look once there are none, so that what DuckDB gave back is not charged for ever.
            let idlePause: Int64? = lookedAt == now || lookedAt == 0 ? nil : Self.lookNanoseconds
            wakeUp.wait(
                since: generation, timeoutNanoseconds: queries.isEmpty ? idlePause : Self.tickNanoseconds)
        }
    }
}
