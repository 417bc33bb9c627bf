import ArgumentParser
import Glibc
import Logging
import Platform

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the server.",
        discussion: """
            Without options: memory only, on 127.0.0.1:7070. Every option but --config and --memory-only is a \
            configuration key: --limits-body is PYRALOG_LIMITS_BODY in the environment and limits.body in the file. \
            The option wins over the variable, and the variable over the file. Sizes are written 4096, 512MiB or 4GB, \
            durations 250ms, 10s or 5m.
            """)

    @Option(help: "YAML file of configuration keys; or PYRALOG_CONFIG")
    var config: String?

    @Flag(help: "Keep everything in memory; this is the default, and it refuses --data-dir")
    var memoryOnly = false

    @OptionGroup var settings: SettingOptions

    /// Options of features that are not there yet are to be named as such, not as unknown.
    @Argument(parsing: .allUnrecognized, help: .hidden)
    var unrecognized: [String] = []

    private static let graceMilliseconds: Int64 = 10_000

    func run() throws {
        var signals = SignalLoop()
        do {
            try refuseUnrecognized()
            let source = ConfigurationSource(
                flags: settings.given, path: config, environment: ConfigurationSource.processEnvironment())
            let configuration = try source.read()
            try configuration.validate()
            if memoryOnly, configuration.text(.dataDir) != nil {
                throw UsageFailure("--memory-only and --data-dir exclude each other")
            }
            let output = LogOutput(
                format: configuration.text(.logFormat) ?? "auto", level: configuration.logLevel)
            let server = Lock<RunningServer?>(nil)
            // Starting may take long, and a signal is heard meanwhile.
            _ = Thread(name: "start") {
                start(configuration, output) { started in server.withLock { $0 = started } }
            }
            wait(&signals, server, source, output)
        } catch let failure as UsageFailure {
            try fail(.usage, failure.description)
        }
    }

    private func start(
        _ configuration: EffectiveConfiguration, _ output: LogOutput, _ started: (RunningServer) -> Void
    ) {
        let logger = output.logger()
        do {
            let server = try RunningServer(configuration, logger: logger)
            started(server)
            StandardStreams.print("pyralog ready on \(server.address)")
            logger.info("ready", metadata: ["address": "\(server.address)", "version": "\(Pyralog.version)"])
        } catch {
            let failure = error as? StartFailure ?? StartFailure(.usage, "\(error)")
            StandardStreams.complain("pyralog: \(failure.description)")
            _exit(failure.kind.rawValue)
        }
    }

    private func fail(_ kind: StartFailure.Kind, _ message: String) throws -> Never {
        StandardStreams.complain("pyralog: \(message)")
        throw ExitCode(kind.rawValue)
    }

    private func refuseUnrecognized() throws(UsageFailure) {
        guard let first = unrecognized.first else { return }
        let later = Setting.later.first { key in
            first == Setting.flag(of: key) || first.hasPrefix(Setting.flag(of: key) + "=")
        }
        guard let later else { throw UsageFailure("\(first): unknown option; see pyralog serve --help") }
        throw UsageFailure("\(Setting.flag(of: later)): not implemented yet")
    }

    /// Until the process ends: by the first signal to stop in an orderly way, by the second at once.
    private func wait(
        _ signals: inout SignalLoop, _ server: borrowing Lock<RunningServer?>, _ source: ConfigurationSource,
        _ output: LogOutput
    ) -> Never {
        let logger = output.logger()
        var stopper: Thread?
        while true {
            let (event, signal) = signals.next()
            switch event {
            case .reload:
                reload(source, output)
            case .stop where stopper != nil:
                logger.warning("ending at once: a second signal", metadata: ["signal": "\(signal)"])
                _exit(128 + signal)
            case .stop:
                guard let server = server.withLock({ $0 }) else {
                    // Nothing has been acknowledged, and the files are as after a loss of power.
                    logger.info("ending before the start is complete", metadata: ["signal": "\(signal)"])
                    _exit(0)
                }
                logger.info("stopping", metadata: ["signal": "\(signal)"])
                stopper = Thread(name: "stopper") {
                    server.stop(graceMilliseconds: Self.graceMilliseconds)
                    logger.info("stopped")
                    _exit(0)
                }
            }
        }
    }

    private func reload(_ source: ConfigurationSource, _ output: LogOutput) {
        let logger = output.logger()
        do {
            output.level = try source.read().logLevel
            logger.info("configuration read again", metadata: ["log.level": "\(output.level)"])
        } catch {
            logger.error("the configuration could not be read again", metadata: ["error": "\(error)"])
        }
    }
}
