import Metrics
import Platform
import StorageEngine

/// An engine on a directory, which can be ended and started again.
///
/// Its threads run, but the clock stands still, and small files make them change often.
package final class DurableHarness {
    package let clock: Clock
    package let path: String
    private let files: any FileSystem
    private let walFileBytes: Int
    private let change: (inout EngineConfiguration) -> Void
    package private(set) var engine: Engine
    package private(set) var report = RecoveryReport()
    package static let walFileBytes = 256 << 10

    /// - Parameter change: of the engine's configuration, whenever it starts.
    package init(
        _ path: String, files: any FileSystem = SystemFiles(),
        clock: Clock = Clock(frozenAt: 1_700_000_000_000), walFileBytes: Int = DurableHarness.walFileBytes,
        _ change: @escaping (inout EngineConfiguration) -> Void = { _ in }
    ) throws {
        self.path = path
        self.files = files
        self.clock = clock
        self.walFileBytes = walFileBytes
        self.change = change
        (engine, report) = try Self.open(path, files, clock, walFileBytes, change)
    }

    private static func open(
        _ path: String, _ files: any FileSystem, _ clock: Clock, _ walFileBytes: Int,
        _ change: (inout EngineConfiguration) -> Void
    ) throws -> (Engine, RecoveryReport) {
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = 1 << 30
        configuration.checkpointBytes = .max
        configuration.dataDirectory = try DataDirectory(path, files: files, walFileBytes: walFileBytes)
        change(&configuration)
        let engine = Engine(configuration: configuration, clock: clock, metrics: MetricsRegistry())
        do {
            return (engine, try engine.recover())
        } catch {
            // Its threads may run already, and it holds the directory.
            engine.stop()
            throw error
        }
    }

    /// Ends it in an orderly way and starts it again.
    package func restart() throws {
        engine.stop()
        try reopen()
    }

    /// After the engine has been ended by `stop()` or by a failing disk.
    package func reopen() throws {
        (engine, report) = try Self.open(path, files, clock, walFileBytes, change)
    }

    package func log(
        _ name: String = "log", _ change: (inout LogConfiguration) -> Void = { _ in }
    ) throws -> Log {
        var configuration = LogConfiguration()
        configuration.mode = .persistent
        configuration.durability.acknowledgement = .disk
        change(&configuration)
        let (log, _, durable) = try engine.createLog(named: name, configuration)
        try durable.wait()
        return log
    }

    /// The log as it is after a restart.
    package func existing(_ name: String = "log") -> Log? { engine.log(named: name) }
}
