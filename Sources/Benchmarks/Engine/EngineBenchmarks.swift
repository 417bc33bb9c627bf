import Metrics
import Platform
import StorageEngine

/// The rows of the figures to reach that need no HTTP: one engine in process, memory mode.
struct EngineBenchmarks {
    let engine: Engine
    let clock = Clock()

    init() {
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = 16 << 30
        // The rings that are measured warm are larger than what a server keeps at hand.
        configuration.warmBytesMax = 256 << 20
        engine = Engine(configuration: configuration, clock: clock, metrics: MetricsRegistry())
        engine.start()
    }

    /// What nobody has promised: measured only when it is asked for.
    static let moonshots = "moonshots"

    /// In this order: resident sizes are measured before anything else has filled the heap.
    static var groups: [(name: String, run: (EngineBenchmarks) -> () throws -> [Measurement])] {
        [
            ("memory", memory), ("append", appends), ("read", reads), ("keys", keys), ("latency", latencies),
            ("transactions", transactions), ("expiry", expiry),
            ("modes", { _ in { try DiskBenchmarks().modes() } }),
            ("group-commit", { _ in { try DiskBenchmarks().groupCommit() } }),
            ("cold-keys", { _ in { try DiskBenchmarks().coldKeys() } }),
            (moonshots, { benchmarks in { try MoonshotBenchmarks(benchmarks.engine).run() } }),
        ]
    }

    // MARK: Logs

    private func log(_ name: String, _ change: (inout LogConfiguration) -> Void = { _ in }) throws -> Log {
        var configuration = LogConfiguration()
        change(&configuration)
        return try engine.createLog(named: name, configuration).log
    }

    /// A ring: retention recycles its batches, so that after one round no page is fresh.
    private func ring(_ name: String, partitions: Int = 1) throws -> Log {
        try log(name) {
            $0.partitions = partitions
            $0.retention.maxBytes = partitions * (64 << 20)
        }
    }

    // MARK: Appending

    private func appends() throws -> [Measurement] {
        let count = 4_000_000
        let value = [UInt8](repeating: 0x61, count: 32)
        let single = try ring("append")
        let one = medianRate(count: count) { append(value, count, to: single, partition: 0) }
        let batched = try ring("batches")
        let batchRate = medianRate(count: count * 10) { appendBatches(value, count / 100, to: batched) }
        let two = try ring("two", partitions: 2)
        let both = medianRate(count: 2 * count) {
            let threads = (0..<2).map { number in
                Thread(name: "bench") { append(value, count, to: two, partition: number) }
            }
            for thread in threads { thread.join() }
        }
        try engine.deleteLog(named: "append")
        try engine.deleteLog(named: "batches")
        try engine.deleteLog(named: "two")
        return [
            Measurement(
                name: "append, 32-byte value", conditions: "one thread, warm 64 MiB ring", value: one,
                unit: "records/s",
                bar: 30e6),
            Measurement(
                name: "append, batch of 1000 × 32 bytes", conditions: "one thread, warm 64 MiB ring",
                value: batchRate,
                unit: "records/s", bar: 150e6),
            Measurement(
                name: "append, two threads, two partitions", conditions: "against one thread",
                value: both / one, unit: "×",
                bar: 1.7),
        ]
    }

    // MARK: Reading by place

    private func reads() throws -> [Measurement] {
        let count = 1_000_000
        let log = try log("reads")
        append([UInt8](repeating: 0x61, count: 32), count, to: log, partition: 0)
        var checksum = 0
        func read(stride: Int64) -> Double {
            medianRate(count: 4 * count) {
                var offset: Int64 = 0
                for _ in 0..<4 * count {
                    offset += stride
                    if offset >= Int64(count) { offset -= Int64(count) }
                    _ = log.withValue(partition: 0, at: Offset(offset)) { checksum &+= $0.count }
                }
            }
        }
        let ordered = read(stride: 1)
        let scattered = read(stride: 7919)
        let scan = medianRate(count: 100 * count) {
            for _ in 0..<100 { checksum &+= Int(log.sumOfTimestamps(partition: 0) & 0xFF) }
        }
        precondition(checksum != 0)
        try engine.deleteLog(named: "reads")
        return [
            Measurement(
                name: "read by offset, 32 bytes", conditions: "one thread, 1 M records, ascending",
                value: ordered,
                unit: "records/s", bar: 30e6),
            Measurement(
                name: "read by offset, scattered",
                conditions: "one thread, 1 M records, stride 7919: cache misses",
                value: scattered, unit: "records/s"),
            Measurement(
                name: "sequential scan of a column", conditions: "one thread, 1 M timestamps summed",
                value: scan,
                unit: "records/s", bar: 2e9),
        ]
    }

    // MARK: Keys

    private func keys() throws -> [Measurement] {
        let count = 1_000_000
        let value = [UInt8](repeating: 0x62, count: 32)
        func measure(_ order: [UInt64], _ conditions: String, bar: Double?) throws -> [Measurement] {
            let log = try log("keys") { $0.compaction = .keys }
            put(order, value, log)
            let gets = medianRate(count: count) { get(order, log) }
            let puts = medianRate(count: count, runs: 3) { put(order, value, log) }
            try engine.deleteLog(named: "keys")
            return [
                Measurement(
                    name: "put, 8-byte key, 32-byte value", conditions: conditions, value: puts,
                    unit: "keys/s", bar: bar),
                Measurement(
                    name: "get, 8-byte key", conditions: conditions, value: gets, unit: "keys/s", bar: bar),
            ]
        }
        return try measure(
            (0..<UInt64(count)).map { $0 }, "one thread, 1 M keys, in the order of their making", bar: 8e6)
            + measure(shuffled(count), "one thread, 1 M keys, random order: cache misses", bar: nil)
    }

    // MARK: Latencies

    private func latencies() throws -> [Measurement] {
        let ring = try ring("latency")
        let value = [UInt8](repeating: 0x61, count: 32)
        append(value, 2_000_000, to: ring, partition: 0)
        let write = percentile99(count: 1_000_000) { _ in append(value, 1, to: ring, partition: 0) }
        let bounds = try ring.bounds(partition: 0)
        let span = bounds.tail.rawValue - bounds.first.rawValue
        let read = percentile99(count: 1_000_000) { index in
            let offset = Offset(bounds.first.rawValue + Int64(index) * 7919 % span)
            _ = ring.withValue(partition: 0, at: offset) { _ in }
        }
        try engine.deleteLog(named: "latency")
        return [
            Measurement(
                name: "p99 of an append", conditions: "one thread, warm 64 MiB ring", value: write,
                unit: "ns", bar: 2000,
                higherIsBetter: false),
            Measurement(
                name: "p99 of a read by offset", conditions: "one thread, 64 MiB", value: read, unit: "ns",
                bar: 2000,
                higherIsBetter: false),
        ]
    }

    // MARK: Memory

    private func memory() throws -> [Measurement] {
        let count = 1_000_000
        let before = engine.memoryUsedBytes
        let keyed = try log("memory") { $0.compaction = .keys }
        put(shuffled(count), [UInt8](repeating: 0x63, count: 100), keyed)
        let perRecord = Double(engine.memoryUsedBytes - before) / Double(count) - 108
        try engine.deleteLog(named: "memory")
        let residentBefore = ProcessMemory.residentBytes()
        for number in 0..<100 { _ = try log("empty-\(number)") { $0.partitions = 100 } }
        let empty = Double(ProcessMemory.residentBytes() - residentBefore) / 10_000
        for number in 0..<100 { try engine.deleteLog(named: "empty-\(number)") }
        let idle = try log("idle")
        append([UInt8](repeating: 0x61, count: 32), 10, to: idle, partition: 0)
        let idleBytes = Double(idle.statistics()[0].memoryBytes)
        try engine.deleteLog(named: "idle")
        return [
            Measurement(
                name: "memory of a keyed record beyond its bytes",
                conditions: "1 M keys of 8 bytes, 100-byte values, index included",
                value: perRecord, unit: "bytes", bar: 64, higherIsBetter: false),
            Measurement(
                name: "empty partition", conditions: "resident size, 10,000 partitions", value: empty,
                unit: "bytes",
                bar: 4096, higherIsBetter: false),
            Measurement(
                name: "idle partition", conditions: "after ten records", value: idleBytes, unit: "bytes",
                bar: 65536,
                higherIsBetter: false),
        ]
    }

    // MARK: Transactions

    /// Takes from one counter and gives to another, in two logs.
    private func transactions() throws -> [Measurement] {
        for name in ["from", "to"] { _ = try log(name) { $0.compaction = .keys } }
        let accounts = (0..<1000).map { Array("account-\($0)".utf8) }
        func transfer(_ index: Int) {
            var transaction = Transaction()
            var taken = IncrementOptions()
            taken.by = -1
            transaction.then = [
                .init(log: "from", .increment(key: accounts[index % 1000], taken)),
                .init(log: "to", .increment(key: accounts[index * 7 % 1000], IncrementOptions())),
            ]
            do { _ = try engine.transact(transaction) } catch { preconditionFailure("\(error)") }
        }
        let count = 200_000
        let rate = medianRate(count: count) { for index in 0..<count { transfer(index) } }
        let latency = percentile99(count: count) { transfer($0) }
        try engine.deleteLog(named: "from")
        try engine.deleteLog(named: "to")
        return [
            Measurement(
                name: "2-key transaction", conditions: "one thread, two increments in two logs of 1000 keys",
                value: rate, unit: "transactions/s"),
            Measurement(
                name: "p99 of a 2-key transaction", conditions: "the same", value: latency, unit: "ns",
                bar: 10_000, higherIsBetter: false),
        ]
    }

    // MARK: Expiry of many keys at once

    private func expiry() throws -> [Measurement] {
        let count = 1_000_000
        let storm = try log("storm") { $0.compaction = .keys }
        let others = try log("others") { $0.compaction = .keys }
        let order = shuffled(count)
        put(Array(order.prefix(100_000)), [1, 2, 3], others)
        let deadline = clock.now() + 3_000
        put(order, [UInt8](repeating: 0x64, count: 32), storm, expiry: .at(milliseconds: deadline))
        while clock.now() < deadline { Clock.pause(milliseconds: 1) }
        var readable = 0
        for key in order.prefix(1000) where contains(key, storm) { readable += 1 }
        let latency = percentile99(count: 500_000) { index in _ = contains(order[index % 100_000], others) }
        while storm.keyCount > 0 || storm.memoryBytes(.payload) > 8 << 20 { Clock.pause(milliseconds: 1) }
        let seconds = Double(clock.now() - deadline) / 1000
        try engine.deleteLog(named: "storm")
        try engine.deleteLog(named: "others")
        return [
            Measurement(
                name: "expired keys still readable", conditions: "1 M keys expiring at once, 1000 looked up",
                value: Double(readable),
                unit: "keys", bar: 0, higherIsBetter: false),
            Measurement(
                name: "memory back after the deadline", conditions: "1 M keys expiring at once",
                value: seconds, unit: "s", bar: 5,
                higherIsBetter: false),
            Measurement(
                name: "p99 of other gets meanwhile", conditions: "1 M keys expiring at once", value: latency,
                unit: "ns",
                bar: 5_000_000, higherIsBetter: false),
        ]
    }
}
