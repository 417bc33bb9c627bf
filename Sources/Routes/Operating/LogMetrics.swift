import Metrics
import Platform
import StorageEngine

/// The figures of logs as metrics. The first thousand logs by name have a label of their own; the others are summed up
/// under `log=""`, so that nobody can fill a monitoring system by creating logs.
final class LogMetrics: Sendable {
    static let labelledMax = 1000

    fileprivate struct Figures: Sendable {
        var name = ""
        var appended = 0
        var appendedBytes = 0
        var read = 0
        var readBytes = 0
        var expired = 0
        var evicted = 0
        var trimmed = 0
        var records = 0
        var keys = 0
        var coldKeys = 0
        var disk = 0
        var archived = 0
        var archivedBatches = 0
        var memory = [Int](repeating: 0, count: MemoryKind.allCases.count)
    }

    private let engine: Engine
    private let figures = Lock<[Figures]>([])

    init(_ engine: Engine, in registry: MetricsRegistry) {
        self.engine = engine
        registerCounters(in: registry)
        registerGauges(in: registry)
    }

    /// Reads the figures of all logs once; what is rendered afterwards agrees with each other.
    func refresh() {
        var labelled: [Figures] = []
        var others = Figures()
        var hasOthers = false
        for (index, log) in engine.logs(prefix: "", startAfter: nil, limit: .max).logs.enumerated() {
            if index < Self.labelledMax {
                var own = Figures()
                own.name = log.name
                own.add(log)
                labelled.append(own)
            } else {
                others.add(log)
                hasOthers = true
            }
        }
        if hasOthers { labelled.append(others) }
        let all = labelled
        figures.withLock { $0 = all }
    }

    private func registerCounters(in registry: MetricsRegistry) {
        collect("pyralog_records_appended_total", "Records appended, by log.", .counter, in: registry) {
            $0.appended
        }
        collect(
            "pyralog_bytes_appended_total", "Bytes of keys and values appended, by log.", .counter,
            in: registry
        ) { $0.appendedBytes }
        collect(
            "pyralog_records_read_total", "Records handed to readers, by log.", .counter, in: registry
        ) { $0.read }
        collect(
            "pyralog_bytes_read_total", "Bytes of values handed to readers, by log.", .counter, in: registry
        ) { $0.readBytes }
        collect(
            "pyralog_records_expired_total", "Records whose deadline passed, by log.", .counter, in: registry
        ) { $0.expired }
        collect(
            "pyralog_records_evicted_total", "Records given up for memory, by log.", .counter, in: registry
        ) { $0.evicted }
        collect(
            "pyralog_records_trimmed_total", "Records dropped by trimming and retention, by log.", .counter,
            in: registry
        ) { $0.trimmed }
    }

    private func registerGauges(in registry: MetricsRegistry) {
        collect("pyralog_records", "Records that can be read by offset, by log.", .gauge, in: registry) {
            $0.records
        }
        collect("pyralog_disk_bytes", "Batches that lie in segments, by log.", .gauge, in: registry) {
            $0.disk
        }
        collect(
            "pyralog_archive_bytes", "Batches whose values are in the archive only, by log.", .gauge,
            in: registry
        ) { $0.archived }
        collect("pyralog_archive_batches", "So many are there, by log.", .gauge, in: registry) {
            $0.archivedBatches
        }
        collect("pyralog_keys", "Live keys, by log.", .gauge, in: registry) { $0.keys }
        collect("pyralog_keys_on_disk", "Of them, those that take no memory, by log.", .gauge, in: registry) {
            $0.coldKeys
        }
        registry.collect(
            "pyralog_memory_bytes", help: "Memory charged, by log and kind.", kind: .gauge
        ) { [self] in
            figures.withLock { $0 }.flatMap { log in
                zip(MemoryKind.allCases, log.memory).map { kind, bytes in
                    MetricsRegistry.Sample(
                        [.init("log", log.name), .init("kind", kind.rawValue)], Double(bytes))
                }
            }
        }
        registry.collect(
            "pyralog_expiry_lag_seconds", help: "How late the cleaning of expired records is.", kind: .gauge
        ) { [engine] in [.init([], Double(engine.expiryLagMilliseconds) / 1000)] }
        registry.collect("pyralog_logs", help: "Logs there are.", kind: .gauge) { [engine] in
            [.init([], Double(engine.logs(prefix: "", startAfter: nil, limit: .max).logs.count))]
        }
        registry.collect(
            "pyralog_memory_limit_bytes", help: "The limit of accounted memory.", kind: .gauge
        ) { [engine] in [.init([], Double(engine.memoryLimitBytes))] }
        registry.collect(
            "pyralog_memory_used_bytes", help: "Accounted memory in use.", kind: .gauge
        ) { [engine] in [.init([], Double(engine.memoryUsedBytes))] }
    }

    private func collect(
        _ name: String, _ help: String, _ kind: MetricsRegistry.Kind, in registry: MetricsRegistry,
        _ figure: @escaping @Sendable (Figures) -> Int
    ) {
        registry.collect(name, help: help, kind: kind) { [self] in
            figures.withLock { $0 }.map { log in .init([.init("log", log.name)], Double(figure(log))) }
        }
    }
}

extension LogMetrics.Figures {
    fileprivate mutating func add(_ log: Log) {
        for partition in log.statistics() {
            appended += partition.appended
            appendedBytes += partition.appendedBytes
            expired += partition.expired
            evicted += partition.evicted
            trimmed += partition.trimmed
            records += partition.records
            keys += partition.keys
            coldKeys += partition.coldKeys
            disk += partition.diskBytes
            archived += partition.archivedBytes
            archivedBatches += partition.archivedBatches
        }
        let figures = log.readFigures
        read += figures.records
        readBytes += figures.bytes
        for (index, kind) in MemoryKind.allCases.enumerated() { memory[index] += log.memoryBytes(kind) }
    }
}
