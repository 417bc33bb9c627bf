import Metrics
import Platform

package struct EngineConfiguration: Sendable {
    /// Hard limit on accounted memory; nil: 80 % of the machine's or cgroup's.
    package var maxMemoryBytes: Int?
    /// The share of it at which data begins to give way.
    package var watermark = 0.9
    /// Free memory kept at hand for batches and index pages, beside what is accounted.
    package var warmBytesMax = 16 << 20
    /// Where logs live that are not in memory only; nil: there are none.
    package var dataDirectory: DataDirectory?
    /// How much is written to the write-ahead log between two checkpoints.
    package var checkpointBytes = 256 << 20
    /// Of all files in the data directory; nil: what the disk has.
    package var maxDiskBytes: Int?
    /// Opens the object store of a log's archive. Nil: no log may have one.
    package var openArchive: OpenArchive?
    /// Is told of what went wrong on threads of the engine's own, and will be tried again.
    package var reportFailure: @Sendable (String) -> Void = { _ in }
    /// A seam for tests; nil: the write-ahead log of the data directory.
    package var makeCommitLog: (@Sendable (LogConfiguration) -> (any CommitLog)?)?
    package init() {}
}

/// All logs of a server. Synchronous and thread-safe; nothing here blocks for longer than a partition's lock.
package final class Engine: Sendable {
    package let clock: Clock
    package let receipts: IdempotencyReceipts
    struct Catalog {
        var logs: [String: Log] = [:] { didSet { generation &+= 1 } }
        /// Another whenever a log comes or goes.
        var generation: UInt64 = 0
        /// Being restored: seen by checkpoints only.
        var incoming: [Log] = []
        var nextID: UInt64 = 1

        mutating func takeID() -> LogID {
            defer { nextID += 1 }
            return LogID(rawValue: nextID)
        }
    }

    let services: EngineServices
    private let checkpointBytes: Int
    /// Changes are handed to the write-ahead log while this is held, so that their order there is the order here.
    let catalog = Lock(Catalog())
    private let threads = Lock<[Thread]>([])

    package init(configuration: EngineConfiguration, clock: Clock, metrics: MetricsRegistry) {
        self.clock = clock
        checkpointBytes = configuration.checkpointBytes
        let limit = configuration.maxMemoryBytes ?? MachineMemory.limitBytes() / 10 * 8
        let storage = configuration.dataDirectory.map {
            Storage(
                $0, clock, maxBytes: configuration.maxDiskBytes, reportFailure: configuration.reportFailure)
        }
        let memory = MemoryAccount(name: "server", limitBytes: limit, watermark: configuration.watermark)
        services = EngineServices(
            clock: clock, memory: memory,
            warmBytesMax: min(configuration.warmBytesMax, limit / 16), storage: storage,
            archive: Archive(configuration.openArchive, memory: memory),
            reportFailure: configuration.reportFailure,
            makeCommitLog: configuration.makeCommitLog ?? { log in
                log.mode == .persistent ? storage.map { WALCommitLog($0.wal, log.durability) } : nil
            })
        receipts = IdempotencyReceipts(
            clock: clock, account: services.memory,
            budgetBytes: min(IdempotencyReceipts.budgetBytes, limit / 20))
    }

    deinit {
        services.evictor.removeAll()
        services.maintenance.forget(allLogs.flatMap(\.partitions))
    }

    /// Reads what the data directory holds: call it once, before anything else uses the engine. Nothing without one.
    /// - Throws: `StorageFailure` naming the file when something in it is damaged; the engine is not to be used then.
    @discardableResult
    package func recover() throws(StorageFailure) -> RecoveryReport {
        guard let storage = services.storage else { return RecoveryReport() }
        let recovered = try storage.recover(services)
        catalog.withLock { catalog in
            catalog.nextID = recovered.nextLogID
            for log in recovered.logs.values {
                catalog.logs[log.name] = log
                services.evictor.add(log)
            }
        }
        for log in recovered.logs.values { log.afterRecovery() }
        for receipt in recovered.receipts { receipts.restore(receipt) }
        let source = Checkpointer.Source(
            catalog: { [weak self] in
                self?.catalog.withLock { (Array($0.logs.values), $0.incoming, $0.nextID) } ?? ([], [], 1)
            }, receipts: { [receipts] in receipts.kept },
            isDue: { [weak self] now in
                self?.allLogs.contains { $0.isTiered && $0.needsCheckpoint(now: now) } ?? false
            }, clock: clock)
        storage.startCheckpoints(
            everyBytes: checkpointBytes, services.archive, source, report: services.reportFailure)
        if !recovered.report.damage.isEmpty {
            // Afterwards nothing refers to what is damaged.
            do throws(CheckpointFailure) { try storage.checkpoint(forced: true) } catch {
                throw StorageFailure(path: storage.directory.path, reason: error.description)
            }
        }
        return recovered.report
    }

    /// Whether logs can be on disk.
    package var hasDataDirectory: Bool { services.storage != nil }

    /// How far `recover` has come.
    package var recoveryProgress: (bytesRead: Int, bytesTotal: Int)? {
        services.storage?.progress
    }

    /// Writes a checkpoint and waits for it. - Throws: `CheckpointFailure`.
    package func checkpoint() throws { try services.storage?.checkpoint() }

    /// Why nothing can be written to disk any more; nil while it can.
    package var storageFailure: String? { services.storage?.wal.failure }

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
            if let storage = services.storage {
                let source = archiveSource
                threads.append(Thread(name: "archive") { services.archive.work(source, storage) })
            }
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
        for log in allLogs { for partition in log.partitions { partition.wakeAllWaiters() } }
        clock.stop()
        services.notifier.stop()
        services.maintenance.stop()
        services.archive.stop()
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
        services.storage?.stop(writesAll: allLogs.contains(where: \.isTiered))
    }

    // MARK: Logs

    package func log(named name: String) -> Log? { catalog.withLock { $0.logs[name] } }

    /// - Returns: `created` false when it exists with an equal configuration; `durable` is done once the log survives
    ///   what its mode promises.
    /// - Throws: `logExists` with the differing fields, `invalidConfiguration`, `notImplemented`.
    package func createLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> (log: Log, created: Bool, durable: Outcome<Void>) {
        try validate(configuration)
        let result: (log: Log, created: Bool, entry: CommitEntry?) = catalog.withLock { catalog in
            if let log = catalog.logs[name] { return (log, false, nil) }
            let (log, entry) = add(name, configuration, to: &catalog)
            return (log, true, entry)
        }
        if !result.created {
            let differences = result.log.configuration.differences(from: configuration)
            if !differences.isEmpty { throw .logExists(log: name, differences: differences) }
        }
        return (result.log, result.created, .decided(by: result.entry))
    }

    func validate(_ configuration: LogConfiguration) throws(EngineError) {
        try configuration.validate()
        if configuration.mode != .memory, services.storage == nil {
            throw .invalidConfiguration(
                field: "mode",
                reason: "can only be memory on a server without a data directory; start it with --data-dir")
        }
        if configuration.mode == .hybrid, let location = configuration.hybrid.s3Archive {
            try services.archive.check(location)
        }
    }

    /// The log, created with these defaults and this compaction when it does not exist.
    package func logForWriting(
        named name: String, compaction: LogConfiguration.Compaction,
        defaults: LogConfiguration = LogConfiguration()
    ) throws(EngineError) -> Log {
        catalog.withLock { catalog in
            if let log = catalog.logs[name] { return log }
            var configuration = defaults
            configuration.compaction = compaction
            return add(name, configuration, to: &catalog).log
        }
    }

    private func add(
        _ name: String, _ configuration: LogConfiguration, to catalog: inout Catalog
    ) -> (log: Log, entry: CommitEntry?) {
        let description = LogDescription(
            id: catalog.takeID(), name: name, epoch: .random(), configuration: configuration)
        let log = Log(description, services: services)
        return (log, publish(log, in: &catalog))
    }

    private func publish(_ log: Log, in catalog: inout Catalog) -> CommitEntry? {
        catalog.logs[log.name] = log
        services.evictor.add(log)
        return services.storage?.submit(.describeLog(log.description))
    }

    // MARK: For transactions

    /// A log that nobody sees until it is published.
    func unpublishedLog(named name: String, _ configuration: LogConfiguration) -> Log {
        let id = catalog.withLock { $0.takeID() }
        return Log(
            LogDescription(id: id, name: name, epoch: .random(), configuration: configuration),
            services: services)
    }

    /// With the partitions' locks held. - Returns: false, and nothing is published, when a log came or went since.
    func publish(_ lookUp: LogLookUp) -> Bool {
        catalog.withLock { catalog in
            guard lookUp.absent.allSatisfy({ catalog.logs[$0] == nil }),
                lookUp.found.allSatisfy({ catalog.logs[$0.key] === $0.value })
            else { return false }
            for log in lookUp.created.values { _ = publish(log, in: &catalog) }
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
    /// - Throws: `invalidConfiguration` naming a field that cannot change, `transitionRunning`.
    package func updateLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> (log: Log, durable: Outcome<Void>) {
        try validate(configuration)
        let (log, entry) = try catalog.withLock { catalog throws(EngineError) in
            guard let log = catalog.logs[name] else { throw .logNotFound(log: name) }
            if let fixed = log.configuration.fixedDifferences(from: configuration).first {
                throw .invalidConfiguration(field: fixed, reason: "cannot be changed once the log exists")
            }
            if log.configuration.changesMode(to: configuration) || log.isChangingMode {
                throw .transitionRunning(log: name)
            }
            log.update(configuration)
            return (log, services.storage?.submit(.updateLog(log.id, configuration)))
        }
        return (log, .decided(by: entry))
    }

    /// Waiting readers end with `logDeleted`. - Returns: done once it will not come back.
    @discardableResult
    package func deleteLog(named name: String) throws(EngineError) -> Outcome<Void> {
        let (log, entry) = try catalog.withLock { catalog throws(EngineError) in
            guard let log = catalog.logs.removeValue(forKey: name) else { throw .logNotFound(log: name) }
            return (log, services.storage?.submit(.deleteLog(log.id)))
        }
        forget(log)
        return .decided(by: entry)
    }

    /// Drops all logs and receipts and sets the clock right: for tests between tests.
    package func reset() {
        let dropped = catalog.withLock { catalog in
            defer { catalog.logs = [:] }
            for log in catalog.logs.values { services.storage?.submit(.deleteLog(log.id)) }
            return Array(catalog.logs.values)
        }
        for log in dropped { forget(log) }
        clock.reset()
        receipts.forgetAll()
    }

    func forget(_ log: Log) {
        log.markDeleted()
        services.evictor.remove(log)
        services.maintenance.forget(log.partitions)
    }

    /// In byte order of names.
    package func logs(prefix: String, startAfter: String?, limit: Int) -> (logs: [Log], hasMore: Bool) {
        let names = catalog.withLock { catalog in
            catalog.logs.keys.filter { name in
                name.hasPrefix(prefix) && (startAfter.map { Self.precedes($0, name) } ?? true)
            }
        }.sorted(by: Self.precedes)
        let chosen = names.prefix(limit).compactMap { log(named: $0) }
        return (chosen, names.count > limit)
    }

    private static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    /// In no order.
    package var allLogs: [Log] { catalog.withLock { Array($0.logs.values) } }

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
