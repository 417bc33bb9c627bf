import Metrics
import Platform

package struct EngineConfiguration: Sendable {
    /// Hard limit on accounted memory; nil: 80 % of the machine's or cgroup's.
    package var maxMemoryBytes: Int?
    /// The share of it at which data begins to give way.
    package var watermark = 0.9
    /// Free memory kept at hand for batches and index pages, beside what is accounted.
    package var warmBytesMax = 16 << 20
    /// Where entries become durable; nil for memory mode. A seam for modes to come, and for tests.
    package var makeCommitLog: @Sendable (LogConfiguration) -> (any CommitLog)? = { _ in nil }
    package init() {}
}

/// All logs of a server. Synchronous and thread-safe; nothing here blocks for longer than a partition's lock.
package final class Engine: Sendable {
    package let clock: Clock
    package let receipts: IdempotencyReceipts
    private let services: EngineServices
    private let logs = Lock<[String: Log]>([:])
    private let threads = Lock<[Thread]>([])

    package init(configuration: EngineConfiguration, clock: Clock, metrics: MetricsRegistry) {
        self.clock = clock
        let limit = configuration.maxMemoryBytes ?? MachineMemory.limitBytes() / 10 * 8
        services = EngineServices(
            clock: clock,
            memory: MemoryAccount(name: "server", limitBytes: limit, watermark: configuration.watermark),
            warmBytesMax: min(configuration.warmBytesMax, limit / 16),
            makeCommitLog: configuration.makeCommitLog)
        receipts = IdempotencyReceipts(
            clock: clock, account: services.memory,
            budgetBytes: min(IdempotencyReceipts.budgetBytes, limit / 20))
    }

    deinit {
        services.evictor.removeAll()
        services.maintenance.forget(allLogs().flatMap(\.partitions))
    }

    /// Starts the background threads: clock tick, notifier, maintenance.
    package func start() {
        let services = services
        threads.withLock { threads in
            guard threads.isEmpty else { return }
            threads = [
                Thread(name: "clock") { services.clock.runTicker() },
                Thread(name: "notifier") { services.notifier.run() },
                Thread(name: "maintenance") { services.maintenance.run() },
            ]
        }
    }

    /// Starts the maintenance thread alone: for engines whose readers never wait.
    func startMaintenance() {
        let services = services
        threads.withLock { threads in
            guard threads.isEmpty else { return }
            threads = [Thread(name: "maintenance") { services.maintenance.run() }]
        }
    }

    /// Stops them; waiting readers are woken first.
    package func stop() {
        for log in allLogs() { for partition in log.partitions { partition.wakeAllWaiters() } }
        clock.stop()
        services.notifier.stop()
        services.maintenance.stop()
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }

    // MARK: Logs

    package func log(named name: String) -> Log? { logs.withLock { $0[name] } }

    /// - Returns: `created` false when it exists with an equal configuration.
    /// - Throws: `logExists` with the differing fields, `invalidConfiguration`, `notImplemented`.
    package func createLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> (log: Log, created: Bool) {
        try configuration.validate()
        let result: (log: Log, created: Bool) = logs.withLock { logs in
            if let log = logs[name] { return (log, false) }
            return (add(name, configuration, to: &logs), true)
        }
        if !result.created {
            let differences = result.log.configuration.differences(from: configuration)
            if !differences.isEmpty { throw .logExists(log: name, differences: differences) }
        }
        return result
    }

    /// The log, created with these defaults and this compaction when it does not exist.
    package func logForWriting(
        named name: String, compaction: LogConfiguration.Compaction,
        defaults: LogConfiguration = LogConfiguration()
    ) throws(EngineError) -> Log {
        logs.withLock { logs in
            if let log = logs[name] { return log }
            var configuration = defaults
            configuration.compaction = compaction
            return add(name, configuration, to: &logs)
        }
    }

    private func add(_ name: String, _ configuration: LogConfiguration, to logs: inout [String: Log]) -> Log {
        let log = Log(name: name, configuration: configuration, services: services)
        logs[name] = log
        services.evictor.add(log)
        return log
    }

    // MARK: For transactions

    /// A log that nobody sees until it is published.
    func unpublishedLog(named name: String, _ configuration: LogConfiguration) -> Log {
        Log(name: name, configuration: configuration, services: services)
    }

    /// With the partitions' locks held. - Returns: false, and nothing is published, when a log came or went since.
    func publish(_ lookUp: LogLookUp) -> Bool {
        logs.withLock { logs in
            guard lookUp.absent.allSatisfy({ logs[$0] == nil }),
                lookUp.found.allSatisfy({ logs[$0.key] === $0.value })
            else { return false }
            for (name, log) in lookUp.created {
                logs[name] = log
                services.evictor.add(log)
            }
            return true
        }
    }

    /// - Throws: what the shortage is, or that the memory is held, when there is none to be had.
    func makeRoom(for shortage: TransactionPlan.Shortage) throws(EngineError) {
        switch services.evictor.makeRoom(for: shortage.bytes, in: shortage.account) {
        case .made: return
        case .none: throw shortage.error
        case .held: throw services.heldMemory
        }
    }

    /// Changes what can change in place: TTL, retention, memory limit, schema.
    /// - Throws: `invalidConfiguration` naming a field that cannot change.
    package func updateLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> Log {
        guard let log = log(named: name) else { throw .logNotFound(log: name) }
        try configuration.validate()
        if let fixed = log.configuration.fixedDifferences(from: configuration).first {
            throw .invalidConfiguration(field: fixed, reason: "cannot be changed once the log exists")
        }
        log.update(configuration)
        return log
    }

    /// Waiting readers end with `logDeleted`.
    package func deleteLog(named name: String) throws(EngineError) {
        guard let log = logs.withLock({ $0.removeValue(forKey: name) }) else { throw .logNotFound(log: name) }
        forget(log)
    }

    /// Drops all logs and receipts and sets the clock right: for tests between tests.
    package func reset() {
        let dropped = logs.withLock { logs in
            defer { logs = [:] }
            return Array(logs.values)
        }
        for log in dropped { forget(log) }
        clock.reset()
        receipts.forgetAll()
    }

    private func forget(_ log: Log) {
        log.markDeleted()
        services.evictor.remove(log)
        services.maintenance.forget(log.partitions)
    }

    /// In byte order of names.
    package func logs(prefix: String, startAfter: String?, limit: Int) -> (logs: [Log], hasMore: Bool) {
        let names = logs.withLock { logs in
            logs.keys.filter { name in
                name.hasPrefix(prefix) && (startAfter.map { Self.precedes($0, name) } ?? true)
            }
        }.sorted(by: Self.precedes)
        let chosen = names.prefix(limit).compactMap { log(named: $0) }
        return (chosen, names.count > limit)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    private func allLogs() -> [Log] { logs.withLock { Array($0.values) } }

    // MARK: Figures

    /// Counts what connections, bodies and answers take.
    package func chargeBuffers(_ bytes: Int) {
        services.memory.charge(.buffers, bytes)
        if bytes > 0, services.memory.holdsTooMuch, services.evictor.request() { services.maintenance.poke() }
    }

    /// Counts what queries take, which bounds itself.
    package func chargeQueries(_ bytes: Int) { services.memory.chargeQueries(bytes) }

    /// Whether another request should wait for memory to come back.
    package var isShortOfBuffers: Bool {
        services.memory.networkBytes > 2 * services.memory.bufferBytesMax
    }

    /// `release` ends the slowest of the readers who hold memory back, and says whether there was one.
    package func whenHeld(_ release: @escaping @Sendable () -> Bool) { services.evictor.onHeld(release) }

    /// `shed` drops what was derived from the data of a budget and can be made again, up to a number of bytes.
    package func whenShort(_ shed: @escaping @Sendable (MemoryAccount, Int) -> Void) {
        services.evictor.onShed(shed)
    }

    /// Columns that were derived from a log's data were charged to its account: memory may be short now.
    package func columnsCharged(to log: Log) {
        if log.account.isOverWatermark, services.evictor.request() { services.maintenance.poke() }
    }

    /// Refuses a write that could not fit into a log, or into one that it would create, even if all gave way that may.
    package func checkCanFit(bytes: Int, inLog name: String?) throws(EngineError) {
        try services.evictor.checkCanFit(
            bytes: bytes, in: name.flatMap { log(named: $0) }?.account ?? services.memory)
    }

    package var memoryLimitBytes: Int { services.memory.limitBytes }
    package var memoryUsedBytes: Int { services.memory.totalBytes }
    package var memory: MemoryAccount { services.memory }
    /// How late the maintenance thread is with what is due: expired rows are invisible all the same.
    package var expiryLagMilliseconds: Int64 { services.maintenance.lagMilliseconds }
    /// After the clock was moved: looks at once for what is due.
    package func clockMoved() { services.maintenance.poke() }
    /// Does on the caller's thread what the maintenance thread would do now: for engines that were not started.
    package func maintainDue() {
        while services.evictor.runRound() {}
        _ = services.maintenance.visitDue()
    }
}
