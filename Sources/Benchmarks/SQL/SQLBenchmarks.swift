import DuckDBClient
import Metrics
import Platform
import SQL
import StorageEngine

/// Live rows of a log beside the same rows in a table of DuckDB's own.
final class SQLBenchmarks: @unchecked Sendable {
    // Sendable: nothing changes after `init`; the table's connections are used by the measuring thread only.
    static let questions: [(name: String, text: String)] = [
        ("count and sum", "SELECT count(*), sum(price) FROM events"),
        (
            "group by integer",
            "SELECT user_id, count(*), sum(price) FROM events GROUP BY user_id ORDER BY 2 DESC, 1 LIMIT 10"
        ),
        (
            "group by string",
            "SELECT page, count(*), sum(price) FROM events GROUP BY page ORDER BY 2 DESC, 1 LIMIT 10"
        ),
        (
            "filter on time",
            "SELECT count(*), sum(price) FROM events WHERE _timestamp >= TIMESTAMPTZ '2026-01-01 02:00:00+00' AND _timestamp < TIMESTAMPTZ '2026-01-01 02:10:00+00'"
        ),
        ("top 10", "SELECT id, price FROM events ORDER BY price DESC, id LIMIT 10"),
    ]
    /// 2026-01-01T00:00:00Z; a record a millisecond.
    private static let firstTimestamp: Int64 = 1_767_225_600_000

    let rows: Int
    let engine: Engine
    private let service: SQLService
    private let plain: Connection
    private let unpruned: Connection
    private let log: Log

    init(rows: Int, library: String, threads: Int) throws {
        self.rows = rows
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = 12 << 30
        engine = Engine(configuration: configuration, clock: Clock(), metrics: MetricsRegistry())
        engine.start()
        var sql = SQLConfiguration()
        sql.libraryPath = library
        sql.threads = threads
        sql.timeoutMilliseconds = 600_000
        service = SQLService(engine, sql, MetricsRegistry())
        log = try engine.logForWriting(named: "events", compaction: .none)
        let database = try Database(
            DuckDBLibrary(configured: library, unpacked: []), options: [("threads", String(threads))])
        plain = try database.connect()
        unpruned = try database.connect()
        try Self.append(rows, to: log)
        try plain.execute("SET GLOBAL TimeZone = 'UTC'")
        try plain.execute(
            """
            CREATE TABLE events AS SELECT i AS id, (i * 7919) % 10000 AS user_id,
                '/products/page-' || ((i * 31) % 1000) AS page, ((i * 17) % 9973) / 10.0::DOUBLE AS price,
                make_timestamptz((\(Self.firstTimestamp) + i) * 1000) AS _timestamp FROM range(\(rows)) t(i)
            """)
    }

    deinit {
        service.stop()
        engine.stop()
    }

    private static func append(_ rows: Int, to log: Log) throws {
        let step = 10_000
        for start in stride(from: 0, to: rows, by: step) {
            var bytes: [UInt8] = []
            var slices: [Draft.Slice] = []
            var timestamps: [Int64] = []
            for id in start..<min(rows, start + step) {
                let before = bytes.count
                let price = (id * 17) % 9973
                bytes +=
                    #"{"id":\#(id),"user_id":\#((id * 7919) % 10000),"page":"/products/page-\#((id * 31) % 1000)","price":\#(price / 10).\#(price % 10),"agent":"Mozilla/5.0 (X11; Linux)"}"#
                    .utf8
                slices.append(.init(source: UInt32(before), count: UInt32(bytes.count - before)))
                timestamps.append(firstTimestamp + Int64(id))
            }
            var draft = Draft(source: ByteBuffer(bytes))
            draft.values = slices
            draft.timestamps = timestamps
            _ = try log.append(draft, AppendOptions())
        }
    }

    /// Bytes of JSON in the log.
    var columnBytes: Int { engine.memory.bytes(.columns) }

    func ask(_ text: String) throws -> (answer: String, seconds: Double) {
        let start = Clock.monotonicNanoseconds()
        let outcome = Outcome()
        let query = service.add(Query.Request(text)) { _, head in outcome.set(head) }
        service.begin(query)
        let answer = try outcome.wait()
        return (answer, Double(Clock.monotonicNanoseconds() - start) / 1e9)
    }

    /// With or without the optimiser that skips row groups by their statistics.
    func askTable(_ text: String, pruning: Bool) throws -> Double {
        let connection = pruning ? plain : unpruned
        try connection.execute("SET disabled_optimizers = '\(pruning ? "" : "row_group_pruner")'")
        let start = Clock.monotonicNanoseconds()
        let result = try connection.prepare(text).run()
        while try result.next() != nil {}
        return Double(Clock.monotonicNanoseconds() - start) / 1e9
    }

    /// The first query on a field against reading the same bytes as a file would be read.
    func readJSON(_ path: String) throws -> Double {
        let start = Clock.monotonicNanoseconds()
        let result = try plain.prepare(
            "SELECT count(*), sum(price) FROM read_json('\(path)', format = 'newline_delimited')"
        ).run()
        while try result.next() != nil {}
        return Double(Clock.monotonicNanoseconds() - start) / 1e9
    }

    /// Appends of a thousand small events, one after the other, for some seconds. - Returns: nanoseconds of each, sorted.
    func appendTimes(seconds: Double) throws -> [Int64] {
        let value = Array(#"{"id":1,"user_id":2,"page":"/x","price":1.5}"#.utf8)
        let other = try engine.logForWriting(named: "writes", compaction: .none)
        var times: [Int64] = []
        let end = Clock.monotonicNanoseconds() + Int64(seconds * 1e9)
        while Clock.monotonicNanoseconds() < end {
            for _ in 0..<100 {
                let start = Clock.monotonicNanoseconds()
                _ = try other.append(value: value.span.bytes, partition: 0)
                times.append(Clock.monotonicNanoseconds() - start)
            }
            pauseMicroseconds(200)
        }
        return times.sorted()
    }
}

/// What a query's head brings to the thread that waits for it.
private final class Outcome: Sendable {
    private let head = Lock<ResultPipe.Head?>(nil)
    private let wakeUp = WakeUp()

    func set(_ value: ResultPipe.Head) {
        head.withLock { $0 = value }
        wakeUp.signal()
    }

    func wait() throws -> String {
        while true {
            let generation = wakeUp.generation
            switch head.withLock({ $0 }) {
            case .complete(let bytes)?: return String(decoding: bytes, as: UTF8.self)
            case .failure(let failure)?: throw failure
            case .streaming?: return "(streaming)"
            case nil: wakeUp.wait(since: generation)
            }
        }
    }
}
