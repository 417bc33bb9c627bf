import Metrics
import Platform

package struct EngineConfiguration: Sendable {
    /// Hard limit on accounted memory; nil: 80 % of the machine's or cgroup's.
    package var maxMemoryBytes: Int?
    package init() {}
}

/// All logs of a server. Synchronous and thread-safe; nothing here blocks for longer than a partition's lock.
package final class Engine: Sendable {
    package let clock: Clock
    package let receipts: IdempotencyReceipts

    package init(configuration: EngineConfiguration, clock: Clock, metrics: MetricsRegistry) {
        fatalError("skeleton")
    }

    /// Starts the background threads: clock tick, notifier, maintenance.
    package func start() { fatalError("skeleton") }
    /// Stops them; waiting readers are woken first.
    package func stop() { fatalError("skeleton") }

    package func log(named name: String) -> Log? { fatalError("skeleton") }

    /// - Returns: `created` false when it exists with an equal configuration.
    /// - Throws: `logExists` with the differing fields, `invalidConfiguration`, `notImplemented`.
    package func createLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> (log: Log, created: Bool) { fatalError("skeleton") }

    /// The log, created with defaults and this compaction when it does not exist.
    package func logForWriting(
        named name: String, compaction: LogConfiguration.Compaction
    ) throws(EngineError) -> Log { fatalError("skeleton") }

    /// Changes what can change in place; `invalidConfiguration` names a field that cannot (partitions, compaction…).
    package func updateLog(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> Log { fatalError("skeleton") }

    /// Waiting readers end with `logDeleted`.
    package func deleteLog(named name: String) throws(EngineError) { fatalError("skeleton") }

    /// In byte order of names.
    package func logs(prefix: String, startAfter: String?, limit: Int) -> (logs: [Log], hasMore: Bool) {
        fatalError("skeleton")
    }

    package var memoryLimitBytes: Int { fatalError("skeleton") }
    package var memoryUsedBytes: Int { fatalError("skeleton") }
}
