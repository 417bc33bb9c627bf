import Foundation
import Metrics
import Platform
import StorageEngine
import Synchronization

/// What the disk costs in process: one engine on a directory of its own, which goes afterwards.
final class DiskBenchmarks {
    private let directory: String
    private let engine: Engine
    private static let value = [UInt8](repeating: 0x61, count: 100)

    init() throws {
        directory = NSTemporaryDirectory() + "pyralog-bench-\(UUID().uuidString)"
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = 8 << 30
        configuration.warmBytesMax = 256 << 20
        configuration.dataDirectory = try DataDirectory(directory)
        engine = Engine(configuration: configuration, clock: Clock(), metrics: MetricsRegistry())
        _ = try engine.recover()
        engine.start()
    }

    deinit {
        engine.stop()
        // What is left goes with the machine's temporary files.
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: By mode

    private enum Kind: String, CaseIterable { case memory, always, interval, hybrid }

    private func log(_ kind: Kind, _ name: String, _ change: (inout LogConfiguration) -> Void = { _ in })
        throws
        -> Log
    {
        var configuration = LogConfiguration()
        configuration.mode = kind == .memory ? .memory : kind == .hybrid ? .hybrid : .persistent
        configuration.durability.synchronisation = kind == .always ? .always : .interval
        configuration.durability.acknowledgement = kind == .always ? .disk : .memory
        configuration.compaction = .keys
        configuration.retention.maxBytes = 256 << 20
        change(&configuration)
        let (log, _, durable) = try engine.createLog(named: name, configuration)
        _ = try durable.wait()
        return log
    }

    /// One thread that waits for each answer, which is where a disk is in the way the most.
    func modes() throws -> [Measurement] {
        var memory: [String: Double] = [:]
        return try Kind.allCases.flatMap { kind in
            let rates = try self.rates(kind)
            if kind == .memory { memory = Dictionary(uniqueKeysWithValues: rates) }
            return rates.map { name, rate in
                let times = kind == .memory ? "" : ", memory \(Int((memory[name] ?? 0) / rate)) ×"
                return Measurement(
                    name: "\(kind.rawValue): \(name)", conditions: "one thread, answers waited for\(times)",
                    value: rate, unit: "a second")
            }
        }
    }

    private func rates(_ kind: Kind) throws -> [(String, Double)] {
        let log = try log(kind, "rates-\(kind.rawValue)")
        let other = try self.log(kind, "other-\(kind.rawValue)")
        let record = draft(records: 1)
        let batch = draft(records: 1000)
        let value = Self.value
        let keys = (0..<1000).map { Array("key-\($0)".utf8) }
        var checksum = 0
        func transfer(_ number: Int) throws -> Outcome<TransactionResult> {
            var transaction = Transaction()
            transaction.then = [log.name, other.name].map {
                .init(log: $0, .increment(key: Array("n\(number % 100)".utf8), IncrementOptions()))
            }
            return try engine.transact(transaction)
        }
        let results = [
            ("records written one by one", rate { _ in try log.append(record, AppendOptions()) }),
            ("records in batches of 1000", 1000 * rate { _ in try log.append(batch, AppendOptions()) }),
            (
                "keys put",
                rate { number in
                    let key = keys[number % 1000]
                    return try log.put(key: key.span.bytes, value: value.span.bytes, PutOptions())
                }
            ),
            (
                "keys got",
                rate { number in
                    let key = keys[number % 1000]
                    _ = log.withValue(key: key.span.bytes) { checksum &+= $0.count }
                    return .done(())
                }
            ),
            ("transactions of two keys", rate(transfer)),
        ]
        precondition(checksum > 0)
        try engine.deleteLog(named: log.name).wait()
        try engine.deleteLog(named: other.name).wait()
        return results
    }

    // MARK: Group commit

    /// Writers that wait for their acknowledgement, as connections do, on two threads.
    func groupCommit() throws -> [Measurement] {
        let log = try log(.always, "group")
        var alone: Double?
        return [1, 8, 64, 256].map { writers in
            let before = engine.storageFigures?.synchronisations ?? 0
            let (count, seconds) = write(writers, log)
            let synchronisations = (engine.storageFigures?.synchronisations ?? 0) - before
            let rate = Double(count) / seconds
            let times = alone.map { ", \(Int(rate / $0 * 10) / 10) × one writer" } ?? ""
            if alone == nil { alone = rate }
            return Measurement(
                name: "keys put by \(writers) writers",
                conditions: "on disk, \(count / max(1, synchronisations)) a synchronisation\(times)",
                value: rate, unit: "a second", bar: writers == 64 ? alone.map { 20 * $0 } : nil)
        }
    }

    private func write(_ writers: Int, _ log: Log) -> (count: Int, seconds: Double) {
        let nanoseconds: Int64 = 2_000_000_000
        let start = Clock.monotonicNanoseconds()
        let total = Atomic<Int>(0)
        let threads = (0..<min(2, writers)).map { number in
            Thread(name: "writers") {
                let inFlight = writers / min(2, writers)
                let done = WakeUp()
                let free = Atomic<Int>(inFlight)
                var sent = 0
                while Clock.monotonicNanoseconds() - start < nanoseconds {
                    let generation = done.generation
                    let count = free.exchange(0, ordering: .acquiring)
                    for _ in 0..<count {
                        put(UInt64(number << 32 | sent % 100_000), Self.value, log) {
                            if free.wrappingAdd(1, ordering: .releasing).oldValue == 0 { done.signal() }
                        }
                        sent += 1
                    }
                    if count == 0 { done.wait(since: generation) }
                }
                while free.load(ordering: .acquiring) < inFlight { Clock.pause(milliseconds: 1) }
                total.wrappingAdd(sent, ordering: .relaxed)
            }
        }
        for thread in threads { thread.join() }
        return (total.load(ordering: .relaxed), Double(Clock.monotonicNanoseconds() - start) / 1e9)
    }

    private func draft(records count: Int) -> Draft {
        let bytes = Self.value.count
        let source = ByteBuffer([UInt8](repeating: 0x61, count: bytes * count))
        var draft = Draft(source: source)
        draft.values = (0..<count).map { .init(source: UInt32($0 * bytes), count: UInt32(bytes)) }
        return draft
    }

    /// Operations a second, for about a second.
    private func rate<Value>(_ body: (Int) throws -> Outcome<Value>) -> Double {
        let nanoseconds: Int64 = 1_000_000_000
        let start = Clock.monotonicNanoseconds()
        var count = 0
        while Clock.monotonicNanoseconds() - start < nanoseconds {
            // The clock is not what is measured.
            for _ in 0..<8 {
                do { _ = try body(count).wait() } catch { preconditionFailure("\(error)") }
                count += 1
            }
        }
        return Double(count) * 1e9 / Double(Clock.monotonicNanoseconds() - start)
    }

    // MARK: Keys on disk

    func coldKeys() throws -> [Measurement] {
        let count = 10_000_000
        let log = try log(.hybrid, "cold") {
            $0.hybrid.diskAfterMilliseconds = 100
            $0.hybrid.memoryTTLMilliseconds = 200
            $0.retention.maxBytes = nil
        }
        let order = shuffled(count)
        let accountedBefore = engine.memoryUsedBytes
        let start = Clock.monotonicNanoseconds()
        put(order, [UInt8](repeating: 0x64, count: 32), log)
        while log.statistics()[0].coldKeys < count {
            try engine.checkpoint()
            Clock.pause(milliseconds: 100)
        }
        let seconds = Double(Clock.monotonicNanoseconds() - start) / 1e9
        let cold = Double(engine.memoryUsedBytes - accountedBefore) / Double(count)
        let index = Double(log.memoryBytes(.index)) / Double(count)
        let disk = Double(engine.storageFigures?.keyIndexBytes ?? 0) / Double(count)
        let conditions = "10 M keys of 8 bytes, 32-byte values"
        func look(_ count: Int = 1_000_000, _ key: (Int) -> UInt64) -> Double {
            percentile99(count: count) { index in _ = contains(key(index), log) }
        }
        let found = look { order[$0 * 7919 % count] }
        let missing = look { UInt64(count + $0) }
        let rate = medianRate(count: 1_000_000, runs: 3) { get(Array(order.prefix(1_000_000)), log) }
        let isEmptied = emptyPageCache()
        let read = look(2_000) { order[$0 * 104_729 % count] }
        return [
            .init(
                name: "memory a key on disk", conditions: conditions + ", batches included", value: cold,
                unit: "bytes"),
            .init(name: "  of it the index", conditions: "the same", value: index, unit: "bytes"),
            .init(name: "file of the index, a key", conditions: "the same", value: disk, unit: "bytes"),
            .init(
                name: "until all are on disk", conditions: "from the first put", value: seconds, unit: "s"),
            .init(
                name: "get of a key on disk", conditions: "random order, warm page cache", value: rate,
                unit: "keys/s"),
            .init(name: "  p99", conditions: "the same", value: found, unit: "ns"),
            .init(name: "  p99 for no key", conditions: "the same", value: missing, unit: "ns"),
            .init(
                name: "  p99 of a get afterwards",
                conditions: isEmptied ? "2,000 keys, page cache emptied" : "2,000 keys, not root: cache warm",
                value: read, unit: "ns"),
        ]
    }

    /// The system forgets what it holds of files. - Returns: false where only root may ask for that.
    private func emptyPageCache() -> Bool {
        // Without both the figures would be those of a warm cache.
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8),
            let caches = FileHandle(forWritingAtPath: "/proc/sys/vm/drop_caches")
        else { return false }
        sync()
        for line in maps.split(separator: "\n") where line.contains(directory) {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard ends.count == 2, let start = UnsafeMutableRawPointer(bitPattern: ends[0]) else { continue }
            madvise(start, Int(ends[1] - ends[0]), MADV_DONTNEED)
        }
        caches.write(Data("3".utf8))
        return true
    }
}
