import Platform
import StorageEngine

/// A slow reader holds records while its log evicts many times what it may hold: the records stay as they were, are
/// charged apart, and cost the log nothing of its own.
enum Pinned {
    private static let limitBytes = 16 << 20
    private static let valueBytes = 1000
    private static let heldRecords = 2000

    static func run(scale: Double) throws {
        let test = TestEngine(maxMemoryBytes: 1 << 30)
        let log = try test.log("pinned") {
            $0.memory.maxBytes = limitBytes
            $0.memory.eviction = .fifo
        }
        // Ten times the limit is what it takes; the long form does it again and again.
        let rounds = scaled(100, by: scale)
        report(
            "\(rounds) rounds: \(heldRecords) records held while \(mebibytes(10 * limitBytes)) go by, no seed"
        )
        var written = 0
        var (peakData, peakPinned) = (0, 0)
        try write(log, bytes: limitBytes, &written) {}
        for _ in 0..<rounds {
            try hold(log, &written, &peakData, &peakPinned)
            try waitUntilReleased(log, test)
        }
        report(
            "data at most \(mebibytes(peakData)) of \(mebibytes(limitBytes)), pinned at most \(mebibytes(peakPinned)), "
                + "nothing once released; \(written) records written")
    }

    private static func hold(
        _ log: Log, _ written: inout Int, _ peakData: inout Int, _ peakPinned: inout Int
    ) throws {
        let start = ReadStart.last(heldRecords)
        let held = try log.read(partition: 0, from: start, limit: heldRecords, maxBytes: .max, clamps: true)
            .records
        try require(held.count == heldRecords, "\(held.count) records were read, not \(heldRecords)")
        let before = checksum(held)
        let last = written
        for (index, record) in held.enumerated() {
            let number = record.value.loadUnaligned(as: Int.self)
            try require(number == last - heldRecords + index, "record \(number) stands at place \(index)")
        }
        try write(log, bytes: 10 * limitBytes, &written) {
            peakData = max(peakData, log.dataBytes)
            peakPinned = max(peakPinned, log.memoryBytes(.pinned))
            try require(log.dataBytes <= limitBytes, "data takes \(log.dataBytes) of \(limitBytes) bytes")
        }
        let bounds = try log.bounds(partition: 0)
        guard let youngest = held.last else { return }
        try require(bounds.first > youngest.offset, "what is held was not evicted")
        try require(
            log.memoryBytes(.pinned) >= heldRecords * valueBytes,
            "\(log.memoryBytes(.pinned)) bytes are charged as pinned for \(heldRecords * valueBytes) held")
        try require(checksum(held) == before, "what is held has changed")
    }

    private static func waitUntilReleased(_ log: Log, _ test: TestEngine) throws {
        let watch = Stopwatch()
        // The maintenance thread may be copying a batch just now.
        while log.memoryBytes(.pinned) > 0, watch.seconds < 2 { Clock.pause(milliseconds: 1) }
        let server = test.engine.memory.bytes(.pinned)
        try require(
            log.memoryBytes(.pinned) == 0 && server == 0,
            "\(log.memoryBytes(.pinned)) bytes, \(server) of the server, stay pinned after the release")
    }

    private static func write(_ log: Log, bytes: Int, _ written: inout Int, look: () throws -> Void) throws {
        var value = [UInt8](repeating: 0x70, count: valueBytes)
        for number in 0..<bytes / valueBytes {
            value.withUnsafeMutableBytes { $0.storeBytes(of: written, as: Int.self) }
            _ = try log.append(value: value.span.bytes, partition: 0)
            written += 1
            if number % 100 == 0 { try look() }
        }
        try look()
    }

    private static func checksum(_ records: [Record]) -> UInt64 {
        records.reduce(0) { sum, record in
            SplitMix64.mix(sum &+ UInt64(bitPattern: record.offset.rawValue)) ^ xxh3(record.value, seed: sum)
        }
    }
}
