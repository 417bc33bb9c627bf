import Metrics
import Platform
import StorageEngine

/// An engine of a test, stopped when the test lets go of it.
final class TestEngine: Sendable {
    let engine: Engine
    let clock: Clock
    private let isStarted: Bool

    /// - Parameter frozenAt: a clock that the test moves; the engine is not started then.
    init(maxMemoryBytes: Int, frozenAt: Int64? = nil) {
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = maxMemoryBytes
        clock = Clock(frozenAt: frozenAt)
        engine = Engine(configuration: configuration, clock: clock, metrics: MetricsRegistry())
        isStarted = frozenAt == nil
        if isStarted { engine.start() }
    }

    deinit {
        if isStarted { engine.stop() }
    }

    func log(_ name: String, _ change: (inout LogConfiguration) -> Void) throws -> Log {
        var configuration = LogConfiguration()
        change(&configuration)
        return try engine.createLog(named: name, configuration).log
    }
}
