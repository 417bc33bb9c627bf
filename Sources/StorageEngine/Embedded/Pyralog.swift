import Metrics
import Platform

/// A Pyralog inside this process: logs, keys with deadlines and transactions in memory; no port, no file.
///
///     let pyralog = try Pyralog.memoryOnly()
///     let sessions = try pyralog.createLog("sessions") { $0.timeToLive = .seconds(1800) }
///     try sessions.put("alice", #"{"cart": []}"#)
///
/// Thread-safe. Everything is gone when the last reference is released; instances share nothing, so that each of many
/// tests running at once may have its own (one thread, which sleeps while nothing is due).
public final class Pyralog: Sendable {
    let engine: Engine

    /// - Parameter maxMemoryBytes: what all logs may take together, at least 1 MiB; nil: 80 % of the machine.
    /// - Throws: `invalidArgument`.
    public static func memoryOnly(maxMemoryBytes: Int? = nil) throws(Failure) -> Pyralog {
        if let maxMemoryBytes, maxMemoryBytes < 1 << 20 {
            throw Failure(
                .invalidArgument, "maxMemoryBytes is \(maxMemoryBytes); it must be at least 1048576")
        }
        return Pyralog(maxMemoryBytes: maxMemoryBytes)
    }

    private init(maxMemoryBytes: Int?) {
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = maxMemoryBytes
        configuration.warmBytesMax = 0
        engine = Engine(configuration: configuration, clock: Clock(), metrics: MetricsRegistry())
        engine.startMaintenance()
    }

    deinit { engine.stop() }

    // MARK: Logs

    /// How a new log behaves.
    public struct LogSettings: Sendable {
        public enum Eviction: String, Sendable { case reject, fifo, lru, ttl, priority }
        /// 1 to 256. Records of a key go to the partition of its hash.
        public var partitions = 1
        /// For records that say nothing else; nil: they stay.
        public var timeToLive: Duration?
        /// Only the newest record of each key is kept for good.
        public var keepsNewestOfKey = false
        /// Expired and evicted keys leave a record that says so.
        public var leavesTombstones = false
        /// Of this log alone, beside the limit of all.
        public var maxMemoryBytes: Int?
        public var eviction = Eviction.reject
        public init() {}
    }

    /// - Returns: the log, which may exist with equal settings.
    /// - Throws: `alreadyExists` with other settings, `invalidArgument`.
    public func createLog(
        _ name: String, _ configure: (inout LogSettings) -> Void = { _ in }
    ) throws(Failure) -> Log {
        var settings = LogSettings()
        configure(&settings)
        var configuration = LogConfiguration()
        configuration.partitions = settings.partitions
        configuration.ttlMilliseconds = settings.timeToLive.map(\.wholeMilliseconds)
        configuration.compaction = settings.keepsNewestOfKey ? .keys : .none
        configuration.tombstones = settings.leavesTombstones
        configuration.memory.maxBytes = settings.maxMemoryBytes
        configuration.memory.eviction =
            LogConfiguration.Eviction(rawValue: settings.eviction.rawValue) ?? .reject
        return try Failure.translating { () throws(EngineError) in
            Log(try engine.createLog(named: name, configuration).log)
        }
    }

    /// Nil when there is none.
    public func log(_ name: String) -> Log? { engine.log(named: name).map { Log($0) } }

    /// - Throws: `notFound`.
    public func deleteLog(_ name: String) throws(Failure) {
        try Failure.translating { () throws(EngineError) in _ = try engine.deleteLog(named: name) }
    }

    // MARK: Memory and time

    /// Memory taken by all logs, as it is counted against the limit.
    public var usedMemoryBytes: Int { engine.memoryUsedBytes }

    /// Moves the clock of deadlines and retention ahead, and does what is due by then: for tests.
    public func advanceClock(by duration: Duration) {
        engine.clock.advance(milliseconds: max(0, duration.wholeMilliseconds))
        engine.maintainDue()
    }
}

extension Duration {
    /// Rounded up, so that what is short does not become nothing; saturating.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (milliseconds, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? Int64.min : Int64.max }
        let part = attoseconds / 1_000_000_000_000_000
        let roundsUp: Int64 = attoseconds % 1_000_000_000_000_000 > 0 ? 1 : 0
        return milliseconds.addingReportingOverflow(part + roundsUp).partialValue
    }
}
