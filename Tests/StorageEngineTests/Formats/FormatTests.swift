import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Files of format version 1 stay readable for ever")
struct FormatTests {
    static let start: Int64 = 1_700_000_000_000
    let clock = Clock(frozenAt: FormatTests.start)

    init() throws {
        if GoldenFiles.isWriting { try Self.generate() }
    }

    private static func start(_ disk: MemoryFiles, _ clock: Clock) throws -> DurableHarness {
        try DurableHarness("/data", files: disk, clock: clock, walFileBytes: 4096)
    }

    // MARK: Writing

    private static let generation = Lock(false)

    /// Once a run.
    private static func generate() throws {
        try generation.withLock { done in
            if done { return }
            done = true
            try generateNow()
        }
    }

    private static func generateNow() throws {
        let disk = MemoryFiles()
        let harness = try start(disk, Clock(frozenAt: start))
        let keys = try harness.log("keys") { configuration in
            configuration.compaction = .keys
            configuration.partitions = 2
            configuration.ttlMilliseconds = 86_400_000
        }
        let plain = try harness.log("plain") { configuration in
            configuration.durability.synchronisation = .interval
            configuration.durability.acknowledgement = .memory
            configuration.schema = [.init(name: "n", type: "BIGINT")]
        }
        _ = try harness.log("memory") { configuration in
            configuration.mode = .memory
            configuration.durability.acknowledgement = .memory
        }
        for number in 0..<8 { try keys.put("key-\(number)", "\(number)").wait() }
        try plain.append(draft(), AppendOptions()).wait()
        try keys.delete("key-1").wait()
        try plain.trim(partition: 0, before: Offset(1)).wait()
        try harness.engine.checkpoint()
        try keys.put("key-2", "\"after\"") { $0.expiry = .never }.wait()
        try plain.append(["5"]) { $0.producer = ProducerStamp(id: "one", epoch: 3, sequence: 0) }.wait()
        try keys.increment("counter").wait()
        var transaction = Transaction()
        transaction.then = [
            .init(log: "keys", .put(.init(key: Array("key-3".utf8), value: Array("33".utf8)))),
            .init(log: "plain", .append(.init(key: nil, value: Array("6".utf8)))),
        ]
        try harness.engine.transact(transaction).wait()
        harness.engine.stop()
        try GoldenFiles.write(disk)
    }

    /// Records with all columns.
    private static func draft() -> Draft {
        let source = ByteBuffer()
        func slice(_ bytes: [UInt8]) -> Draft.Slice {
            defer { source.append(bytes) }
            return Draft.Slice(source: UInt32(source.count), count: UInt32(bytes.count))
        }
        let extras = RecordExtras(contentType: "text/x-own", headers: [.init(name: "name", value: "value")])
        var draft = Draft(source: source)
        draft.values = ["0", "text", "own"].map { slice(Array($0.utf8)) }
        draft.keys = [.absent, slice(Array("a key".utf8)), .absent]
        draft.types = [.json, .plainText, .other]
        draft.extras = [.absent, .absent, slice(extras.encoded())]
        draft.timestamps = [Draft.timeOfArrival, 1_600_000_000_000, Draft.timeOfArrival]
        draft.deadlines = [Deadline.logDefault, start + 3_600_000, Deadline.never]
        draft.priorities = [0, 7, 255]
        return draft
    }

    // MARK: Reading

    @Test("a data directory is read exactly")
    func directory() throws {
        let harness = try Self.start(GoldenFiles.read(), clock)
        let keys = try #require(harness.existing("keys"))
        let expected: [String: String?] = [
            "key-0": "0", "key-1": nil, "key-2": "\"after\"", "key-3": "33", "key-4": "4", "key-7": "7",
            "counter": "1",
        ]
        for (key, value) in expected { #expect(keys.get(key) == value, "\(key)") }
        #expect(keys.keyCount == 8)
        #expect(keys.configuration.ttlMilliseconds == 86_400_000)
        let twoFound = try keys.get(key: Array("key-2".utf8).span.bytes)
        let two = try #require(twoFound)
        #expect(two.deadline == Deadline.never)
        let fourFound = try keys.get(key: Array("key-4".utf8).span.bytes)
        let four = try #require(fourFound)
        #expect(four.deadline == Self.start + 86_400_000 && four.arrival == Self.start)
        try plain(try #require(harness.existing("plain")))
        let memory = try #require(harness.existing("memory"))
        #expect(try memory.values() == [])
        harness.engine.stop()
    }

    private func plain(_ log: Log) throws {
        #expect(log.configuration.schema == [.init(name: "n", type: "BIGINT")])
        #expect(log.configuration.durability.synchronisation == .interval)
        #expect(try log.bounds(partition: 0) == (Offset(1), Offset(5)))
        let records = try log.read(partition: 0, from: .firstKept, limit: 9, maxBytes: .max, clamps: false)
            .records
        #expect(records.map { String(decoding: $0.value, as: UTF8.self) } == ["text", "own", "5", "6"])
        #expect(records.map(\.offset.rawValue) == [1, 2, 3, 4])
        let (text, own) = (records[0], records[1])
        #expect(text.key == Array("a key".utf8) && text.type == .plainText && text.priority == 7)
        #expect(text.timestamp == 1_600_000_000_000 && text.arrival == Self.start)
        #expect(text.deadline == Self.start + 3_600_000)
        #expect(
            own.extras.contentType == "text/x-own"
                && own.extras.headers == [.init(name: "name", value: "value")])
        #expect(own.priority == 255 && own.deadline == Deadline.never && own.key == nil)
        let repeated = try log.append(["5"]) { $0.producer = ProducerStamp(id: "one", epoch: 3, sequence: 0) }
            .wait()
        #expect(repeated.isDuplicate && repeated.ranges.first?.start == Offset(3))
    }

    @Test("the same content is written as the same bytes")
    func sameBytes() throws {
        let disk = try GoldenFiles.read()
        let stored = ByteBuffer(try #require(disk.content(of: "/data/checkpoint")))
        let checkpoint = try Checkpoint(decoding: stored.bytes)
        #expect(checkpoint.encode().array == stored.array)
        #expect(checkpoint.logs.count == 3)
        var pieces = 0
        for path in disk.paths where path.hasSuffix(".seg") {
            let file = ByteBuffer(try #require(disk.content(of: path)))
            let id = try #require(SegmentFormat.id(ofFile: String(path.split(separator: "/").last ?? "")))
            let index = try SegmentFormat.index(of: file.bytes, id)
            for entry in index {
                pieces += 1
                let place = entry.piece.position..<entry.piece.position + entry.piece.bytes
                let bytes = ByteBuffer(Array(file.bytes[place]))
                #expect(SegmentFormat.checksum(bytes.bytes) == entry.piece.checksum)
                guard entry.kind == .rows else { continue }
                let image = try BatchImage(decoding: bytes.bytes)
                let again = ByteBuffer()
                BatchImage.encode(
                    BatchHeader(image), rows: 0..<image.rows, endOfRange: image.endOfRange, .cacheLines,
                    to: again)
                #expect(again.array == bytes.array)
            }
            let header = ByteBuffer()
            SegmentFormat.encodeHeader(id, to: header)
            #expect(header.array == Array(file.bytes[0..<SegmentFormat.headerBytes]))
            let end = ByteBuffer()
            let indexPosition = index.map { ($0.piece.position + $0.piece.bytes + 63) / 64 * 64 }.max() ?? 64
            SegmentFormat.encode(index, indexPosition: indexPosition, id: id, to: end)
            #expect(end.array == Array(file.bytes[indexPosition...]))
        }
        #expect(pieces >= 4)
    }

    @Test("the frames of the write-ahead log are all valid, and their entries are written as the same bytes")
    func frames() throws {
        let disk = try GoldenFiles.read()
        var frames = 0
        for path in disk.paths where path.hasSuffix(".wal") {
            let file = ByteBuffer(try #require(disk.content(of: path)))
            var reader = try WALReader(file.bytes)
            while case .frame(_, let payload) = reader.step() {
                frames += 1
                let again = ByteBuffer()
                let copy = ByteBuffer(Array(payload))
                try WALItem.forEach(in: copy.bytes) { item in
                    switch item {
                    case .effect(let effect): WALItem.encode(effect, to: again)
                    case .rows(let log, let partition, let image):
                        WALItem.encode(
                            BatchHeader(image), rows: 0..<image.rows, of: log, partition: partition, to: again
                        )
                    }
                }
                #expect(again.array == copy.array)
            }
        }
        #expect(frames >= 4)
    }

    @Test("a version that is not known is refused by name", arguments: ["checkpoint", ".seg", ".wal"])
    func unknownVersion(kind: String) throws {
        let disk = try GoldenFiles.read()
        let path = try #require(disk.paths.first { $0.hasSuffix(kind) })
        let content = ByteBuffer(try #require(disk.content(of: path)))
        content.store(UInt32(99), at: 8)
        // The headers of segments and of the write-ahead log have a checksum of their own.
        if kind != "checkpoint" {
            content.store(WALFormat.checksum(UnsafeRawBufferPointer(rebasing: content.bytes[0..<56])), at: 56)
        }
        disk.put(path, content.array)
        do {
            let harness = try Self.start(disk, clock)
            harness.engine.stop()
            Issue.record("it was read")
        } catch let failure as StorageFailure {
            #expect(failure.path == path && failure.reason.contains("version 99"), "\(failure)")
        }
    }
}
