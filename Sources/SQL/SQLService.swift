import DuckDBClient
import Metrics
import Platform
import StorageEngine
import Synchronization

/// SQL over an engine's logs. DuckDB is loaded at the first query; until then there are no threads and no memory.
package final class SQLService: Sendable {
    package let configuration: SQLConfiguration
    private let engine: Engine
    private let registry = QueryRegistry()
    private let cache = ColumnCache()
    private let metrics: SQLMetrics
    private let loaded = Lock<Loaded?>(nil)
    private let watch: QueryWatch
    private let workers: QueryWorkers
    private let nextIdentifier = Atomic<UInt64>(UInt64.random(in: 0...UInt64.max))
    /// What DuckDB has allocated, as charged to the engine.
    private let chargedBytes = Atomic<Int>(0)
    /// What the process held when no query ran.
    private let idleBytes = Atomic<Int>(0)
    /// What of that was not DuckDB's.
    private let besideBytes = Atomic<Int>(0)
    /// Code, stacks, and what DuckDB takes before it does anything.
    private static let programBytes = 64 << 20
    /// Twice what the largest body of JSON takes while it is read: its parser allocates in the same C++ library.
    private static let blockBytesMin = 256 << 20
    private static let unlimitedMilliseconds: Int64 = 30 * 24 * 3_600_000

    private struct Loaded: Sendable {
        let instance: SQLInstance
        let services: ScanServices
        let monitor: Connection
    }

    package init(_ engine: Engine, _ configuration: SQLConfiguration, _ metrics: MetricsRegistry) {
        self.engine = engine
        self.configuration = configuration
        self.metrics = SQLMetrics(metrics, registry)
        let owner = WeakService()
        watch = QueryWatch(
            registry, cancel: { _ = owner.service?.cancel($0, $1) },
            boundMemory: { owner.service?.boundMemory(isIdle: $0) },
            chargeMemory: { owner.service?.chargeMemory() })
        workers = QueryWorkers(threadsMax: configuration.workers, queuedMax: configuration.queuedMax) {
            owner.service?.run($0)
        }
        owner.service = self
        let cache = cache
        let server = engine.memory
        engine.whenShort { account, bytes in
            cache.shed(account, bytes: bytes, isServer: account === server)
        }
    }

    /// A fifth of the engine's limit, but enough to do something with.
    package var memoryBytes: Int {
        configuration.memoryBytes
            ?? max(engine.memoryLimitBytes / 5, min(64 << 20, engine.memoryLimitBytes / 2))
    }

    // MARK: Queries

    /// A query that waits to be begun, for at most `waitMilliseconds`; its answer comes through its pipe.
    /// - Parameter onHead: called once, from any thread.
    package func add(
        _ request: Query.Request, waitMilliseconds: Int64 = 10_000,
        onHead: @escaping @Sendable (Query, ResultPipe.Head) -> Void
    ) -> Query {
        let engine = engine
        let number = nextIdentifier.wrappingAdd(1, ordering: .relaxed).newValue
        let query = Query(
            request, identifier: "q" + String(number &* 0x9E37_79B9_7F4A_7C15, radix: 36),
            startedAt: engine.clock.now(),
            timeoutMilliseconds: request.isUnlimited
                ? Self.unlimitedMilliseconds
                : min(
                    request.timeoutMilliseconds ?? configuration.timeoutMilliseconds,
                    configuration.timeoutMilliseconds),
            waitMilliseconds: waitMilliseconds, pipe: ResultPipe { engine.chargeBuffers($0) })
        // The pipe forgets this, and with it the query, once the head is told.
        query.pipe.onHead { onHead(query, $0) }
        watch.start()
        registry.add(query)
        watch.poke()
        return query
    }

    /// Puts it in the queue for a worker; it fails when that is full.
    package func begin(_ query: Query) {
        guard query.queue() else { return }
        do {
            try workers.add(query)
        } catch {
            query.cancel(error)
            finish(query, error)
        }
    }

    /// Those that wait or run, oldest first.
    package var queries: [Query] { registry.all }

    /// - Returns: false when there is no such query any more.
    package func cancel(_ identifier: String, why: String) -> Bool {
        registry.query(identifier).map { cancel($0, .cancelled(why)) } ?? false
    }

    private func cancel(_ query: Query, _ failure: SQLFailure) -> Bool {
        guard let phase = query.cancel(failure) else { return false }
        // Nobody else will: it is in no queue yet.
        if phase == .waiting { finish(query, failure) }
        return true
    }

    /// Readers hold too much memory. - Returns: false when there is no query to end.
    package func endOldest() -> Bool {
        guard let oldest = registry.all.first(where: { $0.isActive && !$0.isCancelled }) else { return false }
        return cancel(oldest, .cancelled("the server is short of memory that this query holds"))
    }

    package func stop() {
        for query in registry.all { _ = cancel(query, .stopping) }
        workers.stop()
        watch.stop()
    }

    private func run(_ query: Query) {
        let start = Clock.monotonicNanoseconds()
        var endedBefore = registry.endedCount
        var failure = attempt(query)
        // What others take now may be free in a moment: as long as nothing was sent, it is tried again.
        for pauseMilliseconds in [50, 200, 500] {
            guard case .outOfMemory? = failure, query.rows == 0, query.pipe.isUntouched,
                !query.isCancelled, wasBesideOthers(query, endedBefore)
            else { break }
            WakeUp.pause(milliseconds: pauseMilliseconds)
            endedBefore = registry.endedCount
            failure = attempt(query)
        }
        if case .outOfMemory(let reason, _)? = failure, isBesideOthers(query) {
            failure = .outOfMemory(reason, isAlone: false)
        }
        if failure == nil {
            metrics.countSuccess(rows: query.rows, nanoseconds: Clock.monotonicNanoseconds() - start)
        }
        // Who has the answer does not find the query among those that run.
        finish(query, failure)
        if let failure { query.pipe.fail(failure) }
    }

    /// - Returns: why there is no answer.
    private func attempt(_ query: Query) -> SQLFailure? {
        do {
            let loaded = try load()
            try QueryRun(query, on: loaded.instance, loaded.services, configuration).run()
            return nil
        } catch {
            return query.failure ?? Self.failure(error)
        }
    }

    /// Whether there was another at any time since so many had ended.
    private func wasBesideOthers(_ query: Query, _ endedBefore: Int) -> Bool {
        registry.endedCount != endedBefore || isBesideOthers(query)
    }

    private func isBesideOthers(_ query: Query) -> Bool {
        registry.all.contains { $0 !== query && $0.isActive }
    }

    private func finish(_ query: Query, _ failure: SQLFailure?) {
        guard registry.remove(query) else { return }
        if let failure { metrics.count(failure) }
    }

    private static func failure(_ error: any Error) -> SQLFailure {
        switch error {
        case let failure as SQLFailure: failure
        case let failure as DuckDBFailure: SQLFailure(failure)
        default: .query(message: "\(error)", position: nil)
        }
    }

    // MARK: DuckDB

    private func load() throws -> Loaded {
        try loaded.withLock { loaded in
            if let loaded { return loaded }
            let engine = engine
            let instance = try SQLInstance(configuration, memoryBytes: memoryBytes) {
                engine.log(named: $0) != nil
            }
            let services = ScanServices(
                engine, cache: cache, converter: FieldConverter(instance.caster),
                threads: configuration.threads, misfits: metrics.misfits)
            let made = Loaded(instance: instance, services: services, monitor: try instance.connect())
            loaded = made
            return made
        }
    }

    /// What the process may hold, files aside, before DuckDB gets no more: what data and queries may take, the program, and
    /// a tenth for what allocators keep; where more is held though no query runs, a query's share beyond that.
    private func boundMemory(isIdle: Bool) {
        guard configuration.ownsProcess, let library = loaded.withLock({ $0 })?.instance.library else {
            return
        }
        if isIdle {
            library.releaseMemory()
            idleBytes.store(library.processBytes, ordering: .relaxed)
            besideBytes.store(library.besideBytes, ordering: .relaxed)
        }
        let limit = engine.memoryLimitBytes
        let usual = limit.addingReportingOverflow(limit / 10 + Self.programBytes)
        let beyondIdle = idleBytes.load(ordering: .relaxed).addingReportingOverflow(memoryBytes)
        let isBounded = !usual.overflow && !beyondIdle.overflow
        library.bound(
            processBytes: isBounded ? max(usual.partialValue, beyondIdle.partialValue) : .max,
            besideBytes: isBounded ? besideBytes.load(ordering: .relaxed) : 0,
            blockBytes: max(memoryBytes, Self.blockBytesMin))
    }

    /// Reads back what DuckDB takes: it is part of the server's memory. On the watch's thread.
    private func chargeMemory() {
        guard let loaded = loaded.withLock({ $0 }) else { return }
        // What cannot be read now is read at the next tick.
        guard let bytes = try? loaded.instance.usedBytes(loaded.monitor) else { return }
        let before = chargedBytes.exchange(bytes, ordering: .relaxed)
        engine.chargeQueries(bytes - before)
    }
}

/// Breaks the cycle between the service and its threads, which end before it does.
private final class WeakService: @unchecked Sendable {
    // Sendable: written once, before there are threads.
    weak var service: SQLService?
}
