import HTTP
import Logging
import Metrics
import Platform
import Routes
import SQL
import StorageEngine

/// The parts of a server, made and started in order, and stopped in the opposite one.
final class RunningServer: Sendable {
    private let http: HTTPServer
    private let services: Services
    private let logger: Logger
    private let host: String

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

        let engine = Engine(configuration: configuration.engine, clock: clock, metrics: metrics)
        configuration.settle(.maxMemory, .integer(Int64(engine.memoryLimitBytes)))
        configuration.settle(.bodiesInFlight, .integer(Int64(engine.memory.bufferBytesMax)))
        services = Services(
            engine: engine, metrics: metrics,
            information: ServerInformation(version: Pyralog.version, startedAt: startedAt),
            configuration: configuration.report, limits: configuration.routeLimits,
            logDefaults: configuration.logDefaults, createsLogs: configuration.isOn(.autoCreate),
            testMode: configuration.isOn(.testMode) ? TestMode() : nil, sql: configuration.sql,
            reportUnexpected: { error, request in
                logger.error("unexpected error", metadata: ["error": "\(error)", "request": "\(request)"])
            })
        engine.start()
        do {
            let router = services.router()
            if let path = configuration.text(.initFile) {
                try InitialLogs.create(from: path, router)
                services.testMode?.onReset { [unowned router] in try InitialLogs.create(from: path, router) }
            }
            var settings = configuration.http(logger)
            settings.bufferedBytesChanged = { engine.chargeBuffers($0) }
            settings.isShortOfMemory = { engine.isShortOfBuffers }
            http = try HTTPServer(configuration: settings, router: router, metrics: metrics)
            let sql = services.sql
            engine.whenHeld { [weak http, weak sql] in
                (http?.endSlowestAnswer() ?? false) || (sql?.endOldest() ?? false)
            }
        } catch {
            services.stop()
            engine.stop()
            throw Self.startFailure(error)
        }
        services.readiness.isReady = true
    }

    /// `http://127.0.0.1:7070`, with the port that was taken.
    var address: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(http.port)" }

    /// Stops accepting, lets what runs finish for at most `graceMilliseconds`, then ends every thread.
    func stop(graceMilliseconds: Int64) {
        services.readiness.isReady = false
        services.streams.endAll()
        http.stop(graceMilliseconds: graceMilliseconds)
        services.stop()
        services.engine.stop()
    }

    private static func startFailure(_ error: any Error) -> StartFailure {
        switch error {
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
