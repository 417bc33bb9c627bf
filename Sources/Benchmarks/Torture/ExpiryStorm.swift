import Platform
import StorageEngine
import Synchronization

/// Many keys expire at the same instant: none may be read from then on, their memory comes back soon, and nobody else
/// waits for it.
enum ExpiryStorm {
    private static let otherKeys = 100_000
    private static let secondsMax = 30.0
    private static let valueBytes = 32
    private static let seed: UInt64 = 0x6578_7069

    static func run(scale: Double) throws {
        let keys = scaled(1_000_000, by: scale, min: 50_000)
        report("seed \(seed)")
        var failures: [String] = []
        let few = try storm(keys: keys / 10, &failures)
        let many = try storm(keys: keys, &failures)
        let ratio = Double(many) / Double(max(1, few))
        report(
            "peak of the lag: \(few) ms with \(keys / 10) keys, \(many) ms with \(keys): × \(rounded(ratio))")
        try require(failures.isEmpty, failures.joined(separator: "; "))
    }

    /// What another thread finds out meanwhile.
    private struct Meanwhile {
        var latencies = LatencyHistogram()
        var lost = 0
    }

    /// - Returns: the peak of the lag, milliseconds.
    private static func storm(keys: Int, _ failures: inout [String]) throws -> Int64 {
        let test = TestEngine(maxMemoryBytes: 8 << 30)
        let storm = try test.log("storm") { $0.compaction = .keys }
        let others = try test.log("others") { $0.compaction = .keys }
        let value = [UInt8](repeating: 0x65, count: valueBytes)
        for key in 0..<otherKeys { _ = try others.put(key, value.span.bytes) }
        // The next second but one or two, and time to put the keys.
        let deadline = (test.clock.now() + Int64(keys) / 500) / 1000 * 1000 + 2000
        var options = PutOptions()
        options.expiry = .at(milliseconds: deadline)
        for key in 0..<keys { _ = try storm.put(key, value.span.bytes, options) }
        try require(test.clock.now() < deadline, "the keys were not put in time")
        try require(storm.keyCount == keys, "\(storm.keyCount) keys are there, not \(keys)")
        let before = storm.dataBytes
        while test.clock.now() < deadline { Clock.pause(milliseconds: 1) }

        let watch = Stopwatch()
        let isOver = AtomicFlag()
        let (reader, meanwhile) = reading(others, until: isOver)
        let (sampler, lag) = sampling(test.engine, until: isOver)
        var readable = 0
        for key in 0..<keys where storm.holds(key) { readable += 1 }
        var secondsUntilBack = 0.0
        while true {
            secondsUntilBack = watch.seconds
            if storm.keyCount == 0, storm.dataBytes <= before / 10 { break }
            if secondsUntilBack > secondsMax { break }
            Clock.pause(milliseconds: 1)
        }
        isOver.raise()
        reader.join()
        sampler.join()
        let found = meanwhile.withLock { $0 }
        let peak = lag.withLock { $0 }
        report(
            "\(keys) keys: memory back after \(rounded(secondsUntilBack, places: 2)) s, \(mebibytes(before)) before, "
                + "\(mebibytes(storm.dataBytes)) after; lag at most \(peak) ms")
        report(
            "  \(found.latencies.count) gets of other keys meanwhile: p99 \(microseconds(found.latencies.quantile(0.99))), "
                + "max \(microseconds(found.latencies.max))")
        try require(readable == 0, "\(readable) keys were readable after their deadline")
        try require(found.lost == 0, "\(found.lost) gets of keys that never expire found nothing")
        try require(storm.keyCount == 0, "\(storm.keyCount) keys are left after \(secondsMax) s")
        if storm.dataBytes > before / 10 {
            failures.append(
                "of \(before) bytes for \(keys) keys \(storm.memoryBytes(.payload)) of payload and "
                    + "\(storm.memoryBytes(.index)) of index are left after \(secondsMax) s")
        }
        return peak
    }

    private static func reading(_ log: Log, until isOver: AtomicFlag) -> (Thread, Shared<Meanwhile>) {
        let shared = Shared(Meanwhile())
        let thread = Thread(name: "reader") {
            var random = SplitMix64(seed: seed)
            var own = Meanwhile()
            while !isOver.isRaised {
                let key = random.below(otherKeys)
                if !own.latencies.time({ log.holds(key) }) { own.lost += 1 }
            }
            shared.withLock { $0 = own }
        }
        return (thread, shared)
    }

    private static func sampling(_ engine: Engine, until isOver: AtomicFlag) -> (Thread, Shared<Int64>) {
        let shared = Shared<Int64>(0)
        let thread = Thread(name: "sampler") {
            while !isOver.isRaised {
                let lag = engine.expiryLagMilliseconds
                shared.withLock { $0 = max($0, lag) }
                Clock.pause(milliseconds: 1)
            }
        }
        return (thread, shared)
    }
}
