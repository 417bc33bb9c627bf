import Platform
import StorageEngine

/// Far more is written than the memory there is, while little is live: what is dead has to give its memory back in step
/// with the writes, and to the operating system.
enum Overwrite {
    private static let valueBytes = 1000
    /// Five megabytes.
    private static let liveKeys = 5000
    private static let serverBytes = 256 << 20
    private static let samples = 10
    private static let growthBytesMax = 32 << 20
    /// The maintenance visits a partition ten times a second at most; what is written between its visits is no growth.
    private static let settlingMilliseconds = 300

    static func run(scale: Double) throws {
        let keys = scaled(1_000_000, by: scale, min: 4 * liveKeys)
        let puts = scaled(50_000_000, by: scale, min: 10 * liveKeys)
        report("\(puts) puts of \(valueBytes) bytes over \(keys) keys, \(liveKeys) of them live, no seed")
        let overwriting = try overwrite(puts: puts, keys: keys)
        let fresh = try firstWrites(keys: keys)
        report("put while overwriting: \(text(overwriting))")
        report("put of a fresh key:    \(text(fresh))")
    }

    private static func overwrite(puts: Int, keys: Int) throws -> LatencyHistogram {
        let watch = Stopwatch()
        let test = TestEngine(maxMemoryBytes: serverBytes)
        let log = try test.log("overwrite") { $0.compaction = .keys }
        var latencies = LatencyHistogram()
        var value = [UInt8](repeating: 0x6F, count: valueBytes)
        var resident: [Int] = []
        var peak = 0
        for number in 0..<puts {
            let key = number % keys
            value.withUnsafeMutableBytes { $0.storeBytes(of: number, as: Int.self) }
            _ = try latencies.time { try log.put(key, value.span.bytes) }
            if number >= liveKeys { _ = try log.delete((number - liveKeys) % keys) }
            if number % 1000 == 0 { peak = max(peak, test.engine.memoryUsedBytes) }
            guard (number + 1) % (puts / samples) == 0 else { continue }
            let residentBetween = ProcessMemory.residentBytes()
            Clock.pause(milliseconds: settlingMilliseconds)
            resident.append(ProcessMemory.residentBytes())
            try checkLive(log, last: number, keys: keys)
            report(
                "\(resident.count * 100 / samples) %: resident \(mebibytes(residentBetween)), at rest "
                    + "\(mebibytes(resident[resident.count - 1])), charged \(mebibytes(test.engine.memoryUsedBytes)), "
                    + "at most \(mebibytes(peak)) so far, \(log.keyCount) keys")
        }
        let growth = resident[samples - 1] - resident[1]
        try require(
            peak <= serverBytes, "\(mebibytes(peak)) were charged, the limit is \(mebibytes(serverBytes))")
        let busySeconds = watch.seconds - Double(samples * settlingMilliseconds) / 1000
        report("\(rounded(Double(puts) / busySeconds / 1e6, places: 2)) M puts with their deletes a second")
        try require(
            growth <= growthBytesMax, "resident size grew by \(mebibytes(growth)) between 20 % and the end")
        return latencies
    }

    private static func checkLive(_ log: Log, last: Int, keys: Int) throws {
        try require(log.keyCount == liveKeys, "\(log.keyCount) keys are there, not \(liveKeys)")
        for number in last - liveKeys + 1...last {
            var stored = -1
            let found = log.withValue(number % keys) { stored = $0.loadUnaligned(as: Int.self) }
            try require(
                found && stored == number, "key \(number % keys) has put \(stored), not put \(number)")
        }
        let deleted = last - liveKeys
        try require(
            deleted < 0 || !log.holds(deleted % keys), "key \(deleted % keys) was deleted and is there")
    }

    private static func firstWrites(keys: Int) throws -> LatencyHistogram {
        let test = TestEngine(maxMemoryBytes: 16 << 30)
        let log = try test.log("fresh") { $0.compaction = .keys }
        let value = [UInt8](repeating: 0x6F, count: valueBytes)
        var latencies = LatencyHistogram()
        for key in 0..<keys { _ = try latencies.time { try log.put(key, value.span.bytes) } }
        try require(log.keyCount == keys, "\(log.keyCount) keys are there, not \(keys)")
        return latencies
    }

    private static func text(_ latencies: LatencyHistogram) -> String {
        "p99 \(microseconds(latencies.quantile(0.99))), p99.9 \(microseconds(latencies.quantile(0.999))), max "
            + microseconds(latencies.max)
    }
}
