import HTTP
import JSON
import Metrics
import ObjectStorage
import Platform
import SQL
import Snapshots
import StorageEngine
import Synchronization

/// What handlers work with. One a server; everything in it is safe from any thread.
package final class Services: Sendable {
    package let engine: Engine
    package let sql: SQLService
    package let snapshots: SnapshotService
    package let metrics: MetricsRegistry
    package let workers = Workers()
    /// For what waits for an object store, of snapshots or of logs' archives: one that is slow holds up nobody else.
    let storeWorkers = Workers(threads: 8)
    package let parsers = RecordParserPool()
    package let readiness = Readiness()
    package let information: ServerInformation
    /// The answer of `/v1/config`.
    package let configuration: [ConfigurationEntry]
    package let limits: RouteLimits
    /// For files that live as long as a request does.
    let scratchDirectory: String
    /// What a log gets that is created without being configured.
    package let logDefaults: LogConfiguration
    /// Whether writing to a log that does not exist creates it.
    package let createsLogs: Bool
    /// Nil outside of test mode.
    package let testMode: TestMode?
    package let problems: ProblemMapping
    /// Event streams open now.
    let tails: Gauge
    package let streams = EventStreams()
    let logMetrics: LogMetrics

    package var clock: Clock { engine.clock }

    package init(
        engine: Engine, metrics: MetricsRegistry, information: ServerInformation = ServerInformation(),
        configuration: [ConfigurationEntry] = [], limits: RouteLimits = RouteLimits(),
        logDefaults: LogConfiguration = LogConfiguration(), createsLogs: Bool = true,
        testMode: TestMode? = nil, sql: SQLConfiguration = SQLConfiguration(),
        snapshots: SnapshotService? = nil, scratchDirectory: String = "/tmp",
        reportUnexpected: @escaping @Sendable (any Error, String) -> Void = { _, _ in }
    ) {
        self.engine = engine
        self.sql = SQLService(engine, sql, metrics)
        self.snapshots =
            snapshots ?? SnapshotService(engine, stores: ObjectStores(environment: [:]), metrics: metrics)
        self.metrics = metrics
        self.information = information
        self.configuration = configuration
        self.limits = limits
        self.scratchDirectory = scratchDirectory
        self.logDefaults = logDefaults
        self.createsLogs = createsLogs
        self.testMode = testMode
        tails = metrics.gauge("pyralog_tails", help: "Event streams that are open.")
        logMetrics = LogMetrics(engine, in: metrics)
        StorageMetrics.register(engine, in: metrics)
        problems = ProblemMapping(reportUnexpected: reportUnexpected)
    }

    /// A router over the whole table, with the one error mapping.
    /// - Parameter waitsUntilReady: refuses what works with data until the disk has been read.
    package func router(waitsUntilReady: Bool = false) -> Router {
        Router(routes: waitsUntilReady ? gatedRouteTable(self) : routeTable(self)) {
            [problems] error, request in problems.response(for: error, request)
        }
    }

    /// Ends the worker threads. Call it after the HTTP server has stopped.
    package func stop() {
        streams.stop()
        sql.stop()
        snapshots.stop()
        workers.stop()
        storeWorkers.stop()
    }
}

/// Whether `/readyz` says yes.
package final class Readiness: Sendable {
    private let ready = Atomic<Bool>(false)
    private let recovering = Atomic<Bool>(false)

    package var isReady: Bool {
        get { ready.load(ordering: .relaxed) }
        set { ready.store(newValue, ordering: .relaxed) }
    }

    /// The disk is being read, or what has to exist from the start is made: nothing that works with data is answered.
    package var isRecovering: Bool {
        get { recovering.load(ordering: .relaxed) }
        set { recovering.store(newValue, ordering: .relaxed) }
    }
}

/// Bounds on what one request may bring or ask for; each has an error that names it.
package struct RouteLimits: Sendable {
    package var valueBytesMax = 32 * 1024 * 1024
    /// A JSON array, a batch, an atomic NDJSON body.
    package var batchBytesMax = 8 * 1024 * 1024
    package var controlBodyBytesMax = 1024 * 1024
    package static let keyBytesMax = 1024
    package static let keysPerCallMax = 1000
    package static let afterWaitMilliseconds: Int64 = 10_000
    package init() {}
}
