import HTTP
import Logging
import Metrics
import Platform
import ObjectStorage
import Routes
import SQL
import Snapshots
import StorageEngine

/// The parts of a server, made and started in order, and stopped in the opposite one.
final class RunningServer: Sendable {
    private let http: HTTPServer
    private let services: Services
    private let logger: Logger
    private let host: String
    /// Nobody waits for the stores of archives any more.
    private let isStopping = AtomicFlag()

    /// - Throws: `StartFailure`; nothing is left running then.
    init(_ configuration: EffectiveConfiguration, logger: Logger) throws {
        self.logger = logger
        host = configuration.text(.host) ?? "127.0.0.1"
        var configuration = configuration
        let clock = Clock()
        let startedAt = clock.now()
        let metrics = MetricsRegistry()
        Self.registerBuild(in: metrics)
        ProcessMetrics.register(in: metrics, startedAt: startedAt)

        let initial = try configuration.text(.initFile).map { path throws(UsageFailure) in
            try InitialLogs(reading: path)
        }
        let snapshotConfiguration = try configuration.snapshots()
        let restoreSource = try configuration.restoreSource()
        let isStopping = isStopping
        let openArchive = configuration.openArchive(snapshotConfiguration) { isStopping.value }
        let engine = try Self.engine(&configuration, clock, metrics, logger, openArchive)
        let snapshots = SnapshotService(
            engine, snapshotConfiguration, stores: configuration.stores, metrics: metrics
        ) { logger.error("snapshots", metadata: ["error": "\($0)"]) }
        services = Services(
            engine: engine, metrics: metrics,
            information: ServerInformation(version: Pyralog.version, startedAt: startedAt),
            configuration: configuration.report, limits: configuration.routeLimits,
            logDefaults: configuration.logDefaults, createsLogs: configuration.isOn(.autoCreate),
            testMode: configuration.isOn(.testMode) ? TestMode() : nil, sql: configuration.sql,
            snapshots: snapshots, scratchDirectory: configuration.scratchDirectory,
            reportUnexpected: { error, request in
                logger.error("unexpected error", metadata: ["error": "\(error)", "request": "\(request)"])
            })
        services.readiness.isRecovering = true
        var settings = configuration.http(logger)
        settings.bufferedBytesChanged = { engine.chargeBuffers($0) }
        settings.isShortOfMemory = { engine.isShortOfBuffers }
        var started: HTTPServer?
        do {
            // While the disk is read, it is said how far that is.
            http = try HTTPServer(
                configuration: settings, router: services.router(waitsUntilReady: true), metrics: metrics)
            started = http
            try Self.recover(engine, logger)
            engine.start()
            if let restoreSource { try Self.restore(restoreSource, snapshots, engine, logger) }
            if let initial {
                let router = services.router()
                try initial.create(router)
                services.testMode?.onReset { try initial.create(router) }
            }
        } catch {
            started?.stop(graceMilliseconds: 0)
            services.stop()
            engine.stop()
            throw Self.startFailure(error)
        }
        begin()
    }

    /// From now on clients are served.
    private func begin() {
        let (sql, snapshots) = (services.sql, services.snapshots)
        services.engine.whenHeld { [weak http, weak sql, weak snapshots, weak engine = services.engine] in
            // A snapshot holds what is let go of until it is written: it alone ends, and only when memory is short.
            if let engine, let snapshots, snapshots.isTaking {
                return engine.memoryUsedBytes > engine.memoryLimitBytes / 10 * 9 && snapshots.endOldest()
            }
            return (http?.endSlowestAnswer() ?? false) || (sql?.endOldest() ?? false)
        }
        snapshots.startSchedule()
        services.readiness.isRecovering = false
        services.readiness.isReady = true
    }

    /// - Throws: `StartFailure` when the data directory cannot be used.
    private static func engine(
        _ configuration: inout EffectiveConfiguration, _ clock: Clock, _ metrics: MetricsRegistry,
        _ logger: Logger, _ openArchive: @escaping OpenArchive
    ) throws -> Engine {
        var parts = configuration.engine
        parts.openArchive = openArchive
        parts.reportFailure = { logger.error("storage", metadata: ["error": "\($0)"]) }
        do throws(StorageFailure) {
            parts.dataDirectory = try configuration.dataDirectory()
        } catch {
            throw StartFailure(.storage, error.description)
        }
        let engine = Engine(configuration: parts, clock: clock, metrics: metrics)
        configuration.settle(.maxMemory, .integer(Int64(engine.memoryLimitBytes)))
        configuration.settle(.bodiesInFlight, .integer(Int64(engine.memory.bufferBytesMax)))
        configuration.settle(.mode, .text(configuration.logMode.rawValue))
        return engine
    }

    private static func recover(_ engine: Engine, _ logger: Logger) throws(StorageFailure) {
        guard engine.recoveryProgress != nil else { return }
        let start = Clock.monotonicNanoseconds()
        let report = try engine.recover()
        logger.info(
            "data directory read",
            metadata: [
                "logs": "\(report.logs)", "bytes": "\(report.bytesRead)", "frames": "\(report.frames)",
                "torn_frames": "\(report.tornFrames)",
                "milliseconds": "\((Clock.monotonicNanoseconds() - start) / 1_000_000)",
            ])
        if let repaired = report.repaired {
            logger.warning(
                "damaged, but its copy is sound; nothing is missing", metadata: ["damage": "\(repaired)"])
        }
        for damage in report.damage {
            logger.error(
                "damaged and put aside; records are missing", metadata: ["damage": "\(damage)"])
        }
    }

    /// The newest snapshot becomes the state, as far as the server has none of its own.
    private static func restore(
        _ source: (location: ObjectLocation, isRequired: Bool), _ snapshots: SnapshotService,
        _ engine: Engine,
        _ logger: Logger
    ) throws {
        let place: Logger.Metadata = ["location": "\(source.location)"]
        let hasLogs = !engine.allLogs.isEmpty
        if hasLogs, !engine.allLogs.contains(where: { $0.configuration.mode == .memory }) {
            logger.info("there are logs already; no snapshot is restored", metadata: place)
            return
        }
        do throws(SnapshotFailure) {
            guard let job = try snapshots.restoreAtStart(from: source.location) else {
                guard source.isRequired, !hasLogs else {
                    logger.warning("there is no snapshot to begin with", metadata: place)
                    return
                }
                throw .snapshotNotFound(name: "at all", location: source.location.description)
            }
            let progress = job.progress
            logger.info(
                "snapshot restored",
                metadata: place.merging([
                    "snapshot": "\(progress.snapshot ?? "")", "logs": "\(progress.logs.count)",
                    "records": "\(progress.records)", "bytes": "\(progress.bytes)",
                ]) { $1 })
        } catch {
            throw StartFailure(.storage, "the snapshot cannot be restored: \(error)")
        }
    }

    /// `http://127.0.0.1:7070`, with the port that was taken.
    var address: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(http.port)" }

    /// Stops accepting, lets what runs finish for at most `graceMilliseconds`, then ends every thread.
    func stop(graceMilliseconds: Int64) {
        services.readiness.isReady = false
        services.streams.endAll()
        http.stop(graceMilliseconds: graceMilliseconds)
        isStopping.value = true
        services.stop()
        services.engine.stop()
    }

    private static func startFailure(_ error: any Error) -> StartFailure {
        switch error {
        case let failure as StartFailure: failure
        case let failure as StorageFailure: StartFailure(.storage, failure.description)
        case let failure as HTTPStartFailure: StartFailure(.unavailable, failure.description)
        default: StartFailure(.usage, "\(error)")
        }
    }

    private static func registerBuild(in metrics: MetricsRegistry) {
        #if compiler(>=6.4)
            let swift = "6.4 or later"
        #elseif compiler(>=6.3)
            let swift = "6.3"
        #else
            let swift = "6.2"
        #endif
        metrics.gauge(
            "pyralog_build_info", help: "Always 1; the labels say what runs.",
            labels: [.init("version", Pyralog.version), .init("swift", swift)]
        ).set(1)
    }
}
