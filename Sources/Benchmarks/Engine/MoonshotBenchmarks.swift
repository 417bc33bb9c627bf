import Platform
import StorageEngine
import Synchronization

/// Two threads together, in process, against figures that nobody has promised, and beside them what the memory gives: so
/// that one sees how much of it each takes.
struct MoonshotBenchmarks {
    private let engine: Engine
    private let bus = MemoryBus()
    private static let threads = 2
    private static let value = [UInt8](repeating: 0x61, count: 32)
    /// A value, where it ends, and when it was written.
    private static let bytesAppended = 32 + 4 + 8

    init(_ engine: Engine) { self.engine = engine }

    func run() throws -> [Measurement] {
        try bus.measurements + appends() + reads() + latencies()
    }

    // MARK: Rates

    private func appends() throws -> [Measurement] {
        let count = 4_000_000
        let log = try log("moonshots", retainedBytes: 64 << 20)
        let single = rate(count) { append(Self.value, count, to: log, partition: $0) }
        let batched = rate(count * 10) { appendBatches(Self.value, count / 100, to: log, partition: $0) }
        try engine.deleteLog(named: log.name)
        return [
            row(
                "appends", "32-byte values, warm rings of 64 MiB", single, bar: 50e6,
                bytes: Self.bytesAppended, of: bus.both.write),
            row(
                "appends in batches of 1000", "32-byte values, warm rings of 64 MiB", batched, bar: 500e6,
                bytes: Self.bytesAppended, of: bus.both.write),
        ]
    }

    private func reads() throws -> [Measurement] {
        let count = 8_000_000
        let log = try log("moonshots")
        onThreads(Self.threads) { appendBatches(Self.value, count / 1000, to: log, partition: $0) }
        let checksum = Atomic<Int>(0)
        let reads = rate(count) { partition in
            var bytes = 0
            for offset in 0..<Int64(count) {
                _ = log.withValue(partition: partition, at: Offset(offset)) { bytes &+= $0.count }
            }
            checksum.wrappingAdd(bytes, ordering: .relaxed)
        }
        let rounds = 10
        let scan = rate(rounds * count) { partition in
            var sum: Int64 = 0
            for _ in 0..<rounds { sum &+= log.sumOfTimestamps(partition: partition) }
            checksum.wrappingAdd(Int(sum & 0xFF), ordering: .relaxed)
        }
        precondition(checksum.load(ordering: .relaxed) != 0)
        try engine.deleteLog(named: log.name)
        return [
            row(
                "reads by offset", "8 M records each, ascending; of a record, where it ends", reads,
                bar: 100e6, bytes: 4, of: bus.both.read),
            row(
                "sequential scan of a column", "8 M timestamps each", scan, bar: 2e9, bytes: 8,
                of: bus.both.read),
        ]
    }

    // MARK: Latencies

    /// Both threads write and read by turns, each in its own partition, or both in both: then they meet at the locks.
    private func latencies() throws -> [Measurement] {
        try [false, true].flatMap { meet in
            let worst = try latencies(meet: meet)
            let conditions =
                "two threads write and read by turns, "
                + (meet ? "both in the same partitions" : "each in its own partition")
            return [("p99 of an append", worst.write, 15_000), ("p99 of a read by offset", worst.read, 2000)]
                .map { name, value, bar in
                    Measurement(
                        name: name, conditions: conditions, value: value, unit: "ns", bar: bar,
                        higherIsBetter: false)
                }
        }
    }

    /// Of the thread that has the worse one.
    private func latencies(meet: Bool) throws -> (write: Double, read: Double) {
        let count = 1_000_000
        let log = try log("moonshots", retainedBytes: 64 << 20)
        onThreads(Self.threads) { append(Self.value, 2_000_000, to: log, partition: $0) }
        let worst = Lock((write: 0.0, read: 0.0))
        onThreads(Self.threads) { number in
            let clock = clockNanoseconds()
            var writes = [Int64](repeating: 0, count: count)
            var reads = writes
            for index in 0..<count {
                let partition = meet ? (index + number) % Self.threads : number
                writes[index] = nanoseconds { append(Self.value, 1, to: log, partition: partition) } - clock
                let offset = Offset(Int64(1_500_000 + index * 7919 % 500_000 + index / 2))
                reads[index] =
                    nanoseconds { _ = log.withValue(partition: partition, at: offset) { _ in } } - clock
            }
            let (write, read) = (percentile99(&writes), percentile99(&reads))
            worst.withLock { $0 = (max($0.write, write), max($0.read, read)) }
        }
        try engine.deleteLog(named: log.name)
        return worst.withLock { $0 }
    }

    // MARK: Parts

    /// A partition for each thread.
    private func log(_ name: String, retainedBytes: Int? = nil) throws -> Log {
        var configuration = LogConfiguration()
        configuration.partitions = Self.threads
        configuration.retention.maxBytes = retainedBytes.map { $0 * Self.threads }
        return try engine.createLog(named: name, configuration).log
    }

    /// Of all threads together, each of which does it `count` times.
    private func rate(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> Double {
        medianRate(count: Self.threads * count) { onThreads(Self.threads, body) }
    }

    private func row(
        _ name: String, _ conditions: String, _ rate: Double, bar: Double, bytes: Int, of bandwidth: Double
    ) -> Measurement {
        let moved = rate * Double(bytes)
        let percent = Int(100 * moved / bandwidth)
        let share = "\(bytes) bytes each: \(Int(moved / 1e9)) GB/s, \(percent) % of the memory's"
        return Measurement(
            name: "two threads: \(name)", conditions: "\(conditions); \(share)", value: rate,
            unit: "records/s", bar: bar)
    }
}
