import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Logs made from what was kept of others")
struct IncomingLogTests {
    /// What a test compares: every record, and what each key has.
    struct Content: Equatable {
        var records: [String] = []
        var keys: [String: String] = [:]
        var bounds: [Range<Int64>] = []

        init(_ log: Log) throws {
            for number in 0..<log.partitionCount {
                let result = try log.read(
                    partition: number, from: .firstKept, limit: 100_000, maxBytes: .max, clamps: false)
                for record in result.records {
                    let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? "-"
                    records.append(
                        "\(number) \(record.offset.rawValue) \(record.timestamp) \(record.arrival) "
                            + "\(record.deadline) \(record.type.rawValue) \(record.priority) \(key) "
                            + String(decoding: record.value, as: UTF8.self))
                    if record.hasKey, let value = log.get(key) { keys[key] = value }
                }
                let figures = log.statistics()[number]
                bounds.append(figures.first.rawValue..<figures.tail.rawValue)
            }
        }
    }

    /// As a snapshot does it, without objects.
    private func copy(
        _ names: [String], from source: Engine, to target: Engine, mode: LogConfiguration.Mode? = nil,
        replacing: Bool = false
    ) throws {
        let cut = source.stateCut(of: names.compactMap { source.log(named: $0) })
        var manifest = SnapshotManifest(time: cut.now)
        let pack = ByteBuffer()
        func piece(_ encode: (ByteBuffer) -> Void) -> SnapshotManifest.Piece {
            pack.pad(to: 64)
            let content = ByteBuffer()
            encode(content)
            defer { pack.append(content.bytes) }
            return .init(
                pack: 0, position: pack.count, bytes: content.count,
                checksum: SnapshotManifest.Piece.checksum(of: content.bytes))
        }
        for state in cut.logs {
            var record = SnapshotManifest.LogRecord(state)
            for (number, partition) in state.partitions.enumerated() {
                let tail = partition.bounds.upperBound
                for view in partition.batches {
                    let rows = piece { view.encodeRows(tail: tail, to: $0) }
                    let dead = view.isWhole ? nil : piece { view.encodeDeadRows(to: $0) }
                    record.partitions[number].batches.append(.init(view, tail: tail, rows: rows, dead: dead))
                }
            }
            manifest.logs.append(record)
        }
        manifest.packs = [.init(key: "pack", bytes: pack.count)]
        let encoded = manifest.encode()
        let read = try withExtendedLifetime(encoded) { try SnapshotManifest(decoding: $0.bytes) }
        let incoming = IncomingLogs(target)
        for record in read.logs {
            var configuration = record.configuration
            if let mode {
                configuration.mode = mode
                configuration.durability.acknowledgement = mode == .persistent ? .disk : .memory
            }
            let log = try incoming.add(named: record.name, configuration, replacing: replacing)
            for (number, partition) in record.partitions.enumerated() {
                for batch in partition.batches {
                    func bytes(_ piece: SnapshotManifest.Piece) -> UnsafeRawBufferPointer {
                        UnsafeRawBufferPointer(
                            rebasing: pack.bytes[piece.position..<piece.position + piece.bytes])
                    }
                    #expect(batch.rows.matches(bytes(batch.rows)))
                    try log.append(rows: bytes(batch.rows), dead: batch.dead.map(bytes), to: number)
                }
            }
            log.restoreProducers(of: record)
            log.finish(bounds: record.partitions.map(\.bounds))
        }
        withExtendedLifetime(pack) {}
        try incoming.publish(replacing: replacing)
    }

    private func fill(_ log: Log) throws {
        for number in 0..<3000 {
            _ = try log.put(
                "key-\(number % 700)", "\"value \(number) \(String(repeating: "x", count: 300))\""
            ) {
                if number % 5 == 0 { $0.expiry = .at(milliseconds: 1_700_000_100_000) }
                $0.priority = UInt8(number % 3)
            }.wait()
            if number % 7 == 0 { _ = try log.delete("key-\(number % 300)").wait() }
        }
        _ = try log.append((0..<500).map { "{\"n\": \($0)}" }).wait()
        try log.trim(partition: 0, before: Offset(100)).wait()
    }

    @Test("are the same: records, places, keys, deadlines, what was trimmed", arguments: [false, true])
    func same(compacted: Bool) throws {
        let source = EngineHarness()
        let log = try source.log("a") {
            $0.partitions = 3
            $0.compaction = .keys
        }
        try fill(log)
        if compacted { source.pass(milliseconds: 200_000) }
        let before = try Content(log)
        let target = EngineHarness()
        target.clock.advance(milliseconds: source.clock.now() - target.clock.now())
        try copy(["a"], from: source.engine, to: target.engine)
        let restored = try #require(target.engine.log(named: "a"))
        #expect(try Content(restored) == before)
        #expect(!before.keys.isEmpty)
        for number in 0..<700 { #expect(restored.get("key-\(number)") == log.get("key-\(number)")) }
        // It goes on as the other one does.
        for each in [log, restored] { _ = try each.put("key-1", "\"again\"").value() }
        #expect(try Content(restored) == Content(log))
        #expect(restored.statistics().map(\.liveRecords) == log.statistics().map(\.liveRecords))
        for kind in MemoryKind.allCases {
            #expect(restored.memoryBytes(kind) == restored.walkedBytes()[kind] ?? 0)
        }
    }

    @Test(
        "become durable before anybody sees them, and are there after a crash",
        arguments: [
            LogConfiguration.Mode.persistent, .hybrid,
        ])
    func durable(mode: LogConfiguration.Mode) throws {
        let source = EngineHarness()
        let log = try source.log("a") { $0.compaction = .keys }
        try fill(log)
        let disk = MemoryFiles()
        let target = try FaultRun.start(disk, Clock(frozenAt: 1_700_000_000_000))
        _ = try target.log("a").append(["\"what was there\""]).wait()
        try copy(["a"], from: source.engine, to: target.engine, mode: mode, replacing: true)
        let restored = try #require(target.engine.log(named: "a"))
        #expect(try Content(restored) == Content(log))
        let crashed = disk.afterPowerCut(seed: 1)
        let again = try FaultRun.start(crashed, Clock(frozenAt: 1_700_000_000_000))
        #expect(try Content(#require(again.existing("a"))) == Content(log))
        again.engine.stop()
        target.engine.stop()
    }

    @Test("are as if they had never been when they are not published")
    func dropped() throws {
        let disk = MemoryFiles()
        let target = try FaultRun.start(disk, Clock(frozenAt: 1_700_000_000_000))
        _ = try target.log("a").append(["1"]).wait()
        do {
            let incoming = IncomingLogs(target.engine)
            var configuration = LogConfiguration()
            configuration.mode = .persistent
            let log = try incoming.add(named: "a", configuration, replacing: true)
            let value = Array("2".utf8)
            try value.withUnsafeBytes { bytes in
                try log.append(
                    [IncomingRow(offset: 7, key: nil, value: bytes, timestamp: 1, arrival: 1)], to: 0)
            }
            log.finish(bounds: nil)
            // A checkpoint that knows of it, and a crash.
            try target.engine.checkpoint()
            let crashed = try FaultRun.start(
                disk.afterPowerCut(seed: 1), Clock(frozenAt: 1_700_000_000_000))
            #expect(try #require(crashed.existing("a")).values() == ["1"])
            crashed.engine.stop()
        }
        try target.engine.checkpoint()
        try target.restart()
        #expect(try #require(target.existing("a")).values() == ["1"])
        target.engine.stop()
    }

    /// The first batch of a log as a snapshot has it.
    private func image(_ engine: Engine, _ log: Log) throws -> ByteBuffer {
        let partition = engine.stateCut(of: [log]).logs[0].partitions[0]
        let image = ByteBuffer()
        try #require(partition.batches.first).encodeRows(tail: partition.bounds.upperBound, to: image)
        return image
    }

    @Test(
        "are not made of what no server writes: the newest of a key twice, other partitions, times beyond all clocks"
    )
    func refused() throws {
        let harness = EngineHarness()
        let log = try harness.log("a") { $0.compaction = .keys }
        for _ in 0..<2 { _ = try log.put("k", "1").value() }
        let rows = try image(harness.engine, log)
        func append(_ rows: ByteBuffer, to partition: Int = 0) throws {
            let incoming = IncomingLogs(harness.engine)
            let made = try incoming.add(named: "b", log.configuration, replacing: false)
            try withExtendedLifetime(rows) { try made.append(rows: rows.bytes, dead: nil, to: partition) }
        }
        // Both rows say that they are the newest.
        #expect(throws: IncomingFailure.self) { try append(rows) }
        let other = try harness.log("c")
        _ = try other.append(["1", "2"]).value()
        let plain = try image(harness.engine, other)
        try append(plain)
        #expect(throws: IncomingFailure.self) { try append(plain, to: 1) }
        #expect(throws: IncomingFailure.self) { try append(plain, to: -1) }
        // The timestamps are the first column, and there the arrivals too.
        plain.store(Int64.max - 1, at: 64)
        #expect(throws: IncomingFailure.self) { try append(plain) }
        for name in ["", "a/b", "\0a", ".a", String(repeating: "a", count: 129)] {
            #expect(throws: EngineError.self) {
                _ = try IncomingLogs(harness.engine).add(named: name, LogConfiguration(), replacing: true)
            }
        }
        var strange = LogConfiguration()
        strange.hybrid.memoryTTLMilliseconds = .max
        #expect(throws: EngineError.self) { try strange.validate() }
        strange = LogConfiguration()
        strange.retention.maxAgeMilliseconds = .max
        #expect(throws: EngineError.self) { try strange.validate() }
        strange = LogConfiguration()
        strange.schema = [.init(name: "a", type: "INT); DROP")]
        #expect(throws: EngineError.self) { try strange.validate() }
    }

    @Test("take rows with gaps, of which later ones supersede earlier ones of their keys")
    func rows() throws {
        let harness = EngineHarness()
        let incoming = IncomingLogs(harness.engine)
        var configuration = LogConfiguration()
        configuration.compaction = .keys
        let log = try incoming.add(named: "a", configuration, replacing: false)
        let texts = ["k", "\"1\"", "\"2\"", "\"3\""].map { ByteBuffer(Array($0.utf8)) }
        let key = texts[0].bytes
        try log.append(
            [
                IncomingRow(offset: 3, key: key, value: texts[1].bytes, timestamp: 1, arrival: 5),
                IncomingRow(offset: 9, key: key, value: texts[2].bytes, timestamp: 2, arrival: 6),
                IncomingRow(offset: 5_000_000_000, key: nil, value: texts[3].bytes, timestamp: 3, arrival: 7),
            ], to: 0)
        #expect(throws: IncomingFailure.self) {
            try log.append([IncomingRow(offset: 9, key: nil, value: key, timestamp: 1, arrival: 5)], to: 0)
        }
        log.finish(bounds: nil)
        #expect(harness.engine.log(named: "a") == nil)
        try incoming.publish(replacing: false)
        let made = try #require(harness.engine.log(named: "a"))
        #expect(made.get("k") == "\"2\"")
        #expect(try made.values() == ["\"1\"", "\"2\"", "\"3\""])
        #expect(made.statistics()[0].tail == Offset(5_000_000_001))
        #expect(try made.append(["4"]).value().ranges[0].start == Offset(5_000_000_001))
        #expect(throws: EngineError.logExists(log: "a", differences: [])) {
            _ = try incoming.add(named: "a", configuration, replacing: false)
        }
    }

    @Test("a row that was superseded stays so where nothing newer of its key is left")
    func superseded() throws {
        let harness = EngineHarness()
        let incoming = IncomingLogs(harness.engine)
        let log = try incoming.add(named: "a", LogConfiguration(), replacing: false)
        let texts = ["k", "l", "\"1\"", "\"2\""].map { ByteBuffer(Array($0.utf8)) }
        defer { withExtendedLifetime(texts) {} }
        func row(_ offset: Int64, _ key: Int, _ value: Int, isSuperseded: Bool) -> IncomingRow {
            IncomingRow(
                offset: offset, key: texts[key].bytes, value: texts[value].bytes, timestamp: 1, arrival: 1,
                isSuperseded: isSuperseded)
        }
        try log.append(
            [
                row(0, 0, 2, isSuperseded: true), row(1, 1, 2, isSuperseded: true),
                row(2, 1, 3, isSuperseded: false),
            ],
            to: 0)
        // Behind one that is the newest, too, which no dump has.
        try log.append([row(3, 1, 2, isSuperseded: true)], to: 0)
        log.finish(bounds: [0..<9])
        try incoming.publish(replacing: false)
        let made = try #require(harness.engine.log(named: "a"))
        #expect(made.get("k") == nil)
        #expect(made.get("l") == "\"2\"")
        #expect(try made.values().count == 4)
        #expect(made.statistics()[0].liveRecords == 1)
        #expect(made.statistics()[0].tail == Offset(9))
        for kind in MemoryKind.allCases {
            #expect(made.memoryBytes(kind) == made.walkedBytes()[kind] ?? 0)
        }
    }
}
