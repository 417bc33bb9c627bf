import JSON
import Metrics
import Platform
import SQL
import StorageEngine
import Support
import Testing

@Suite("Queries over logs with an archive")
struct ArchiveTests {
    /// An engine with a disk and a store in memory, and SQL over it.
    private final class Harness {
        let store = MemoryArchive()
        let disk: DurableHarness
        let service: SQLService
        let log: Log
        static let rows = 600

        init(maxMemoryBytes: Int? = nil) throws {
            let stores = ["store:one": store]
            disk = try DurableHarness("/data", files: MemoryFiles()) { configuration in
                configuration.openArchive = stores.open
                if let maxMemoryBytes { configuration.maxMemoryBytes = maxMemoryBytes }
            }
            var configuration = SQLConfiguration()
            configuration.libraryPath = DuckDBFile.path
            service = SQLService(disk.engine, configuration, MetricsRegistry())
            log = try disk.log { configuration in
                configuration.mode = .hybrid
                configuration.compaction = .keys
                configuration.durability.acknowledgement = .memory
                configuration.hybrid.diskAfterMilliseconds = 1_000
                configuration.hybrid.memoryTTLMilliseconds = 2_000
                configuration.hybrid.s3Archive = "store:one"
                configuration.hybrid.s3AfterMilliseconds = 5_000
            }
            try write(0..<Self.rows)
        }

        func write(_ numbers: Range<Int>) throws {
            for number in numbers {
                let text = "a text that is longer than twelve bytes \(number)"
                try log.put(
                    "key-\(number)",
                    "{\"number\": \(number), \"text\": \"\(text)\", \"even\": \(number % 2 == 0)}"
                )
                .wait()
            }
        }

        /// Into the archive, or, younger, only out of memory.
        func age(milliseconds: Int64 = 5_001) throws {
            disk.clock.advance(milliseconds: milliseconds)
            try disk.engine.checkpoint()
            for _ in 0..<2 {
                disk.clock.advance(milliseconds: 200)
                disk.engine.maintainDue()
            }
            for _ in 0..<2 { disk.engine.archiveDue() }
        }

        func begin(_ text: String) -> RunningQuery {
            let running = RunningQuery()
            let query = service.add(Query.Request(text)) { _, head in running.set(head) }
            running.query.withLock { $0 = query }
            service.begin(query)
            return running
        }

        func rows(_ text: String) throws -> String {
            let answer = try ControlJSON.parse(Array(begin(text).wait().utf8))["rows"]?.arrayValue ?? []
            return answer.map { row in
                (row.arrayValue ?? []).map { String(decoding: ControlJSON.serialize($0), as: UTF8.self) }
                    .joined(separator: ",")
            }.joined(separator: " ")
        }

        func failure(_ text: String) -> SQLFailure? {
            do {
                _ = try begin(text).wait()
                return nil
            } catch {
                return error as? SQLFailure
            }
        }

        deinit {
            service.stop()
            disk.engine.stop()
        }
    }

    static let queries = [
        "SELECT count(*), sum(number), count(*) FILTER (even) FROM log",
        "SELECT text FROM log WHERE number IN (3, 599) ORDER BY number",
        "SELECT count(DISTINCT text), max(text), min(length(text)) FROM log",
        "SELECT _value FROM log ORDER BY number LIMIT 2",
        "SELECT _key, _offset FROM log ORDER BY _offset LIMIT 3",
        "SELECT count(*) FROM log WHERE _timestamp > TIMESTAMPTZ '2000-01-01 00:00:00Z'",
        "SELECT a.text FROM log a JOIN log b ON a.number = b.number WHERE a.number = 77",
    ]

    @Test(
        "the same rows come before and after the move, whether anything was asked before it",
        arguments: [false, true])
    func sameRows(isAskedBefore: Bool) throws {
        let moved = try Harness()
        let kept = try Harness()
        if isAskedBefore { for query in Self.queries { _ = try moved.rows(query) } }
        try moved.age()
        #expect(moved.log.statistics()[0].archivedBatches > 3)
        for harness in [moved, kept] { try harness.write(600..<650) }
        for query in Self.queries {
            let expected = try kept.rows(query)
            #expect(try moved.rows(query) == expected, "\(query)")
            #expect(try moved.rows(query) == expected, "\(query), again")
        }
    }

    @Test("what was found out and extracted before the move is of use behind it: nothing is fetched for it")
    func inherited() throws {
        let harness = try Harness()
        let query = "SELECT sum(number) FROM log"
        try harness.age(milliseconds: 2_001)
        #expect(harness.log.statistics()[0].archivedBatches == 0)
        let expected = try harness.rows(query)
        try harness.age()
        #expect(harness.log.statistics()[0].archivedBatches > 3)
        #expect(try harness.rows(query) == expected)
        #expect(harness.store.gets == 0)
        #expect(try harness.rows("SELECT max(length(text)) FROM log") == "43")
        #expect(harness.store.gets > 0)
    }

    @Test("a store that is down fails the query, which names the log; what is not there can be asked")
    func down() throws {
        let harness = try Harness()
        try harness.age()
        harness.store.setDown(true)
        guard
            case .unreadable(.archiveUnavailable(let log, _)) = harness.failure("SELECT sum(number) FROM log")
        else {
            Issue.record("it did not fail so")
            return
        }
        #expect(log == "log")
        harness.store.setDown(false)
        #expect(try harness.rows("SELECT count(*) FROM log") == "600")
        harness.store.setDown(true)
        #expect(try harness.rows("SELECT count(*), min(_offset) FROM log") == "600,0")
        harness.store.setDown(false)
        #expect(try harness.rows("SELECT max(number) FROM log") == "599")
    }

    @Test("wrong bytes fail the query")
    func damaged() throws {
        let harness = try Harness()
        try harness.age()
        harness.store.flip(1000)
        guard case .unreadable(.archiveDamaged) = harness.failure("SELECT max(text) FROM log") else {
            Issue.record("it did not fail so")
            return
        }
    }

    @Test("a query that is cancelled does not wait for the store")
    func cancelled() throws {
        let harness = try Harness()
        try harness.age()
        harness.store.slow(getMilliseconds: 2_000)
        let start = Clock.monotonicNanoseconds()
        let running = harness.begin("SELECT sum(number) FROM log")
        Clock.pause(milliseconds: 100)
        running.query.withLock { $0 }?.abandon()
        while running.query.withLock({ $0 })?.phase != .cancelled { Clock.pause(milliseconds: 1) }
        harness.store.slow(getMilliseconds: 0)
        #expect(try harness.rows("SELECT 1") == "1")
        #expect(Clock.monotonicNanoseconds() - start < 1_900_000_000)
    }

    @Test(
        "long keys are right beside values that are fetched, though what is fetched is let go within a chunk")
    func keys() throws {
        let harness = try Harness(maxMemoryBytes: 16 << 20)
        let value = "\"" + String(repeating: "v", count: 20_000) + "\""
        func key(_ number: Int) -> String { "a key that is longer than twelve bytes \(number)" }
        for number in 0..<200 { try harness.log.put(key(number), value).wait() }
        try harness.age()
        let answer = try harness.rows(
            "SELECT string_agg(_key, ',' ORDER BY _offset), max(length(_value)) FROM log WHERE _offset >= 600"
        )
        #expect(answer == "\"" + (0..<200).map(key).joined(separator: ",") + "\",20002")
        #expect(harness.store.gets > 2)
    }

    @Test("a scan of an archive much larger than what is kept of it takes no more memory than that")
    func bounded() throws {
        let harness = try Harness()
        try harness.age()
        let before = harness.disk.engine.memory.bytes(.columns)
        #expect(try harness.rows("SELECT count(DISTINCT _value) FROM log") == "600")
        let kept = harness.disk.engine.archiveFigures.cacheBytes
        let now = harness.disk.engine.memory.bytes(.columns)
        #expect(now - before <= kept + (1 << 20), "\(now) \(kept)")
    }
}
