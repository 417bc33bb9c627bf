import JSON
import Platform
import Support
import Testing

@testable import SQL

@Suite("Queries and their answers")
struct QueryTests {
    @Test("values of all types come exactly")
    func values() throws {
        let sql = SQLHarness()
        let text = try sql.answer(
            """
            SELECT 9223372036854775807, 170141183460469231731687303715884105727::HUGEINT, -0.05::DECIMAL(10,2),
                DATE '0001-01-01', TIME '12:34:56.5', TIMESTAMP '2026-11-24 01:02:03', TIMESTAMPTZ '1969-12-31 23:59:59.999999+00',
                INTERVAL '1 year 2 months 3 days 04:05:06.5', 'a"b', 'x'::BLOB, '6f1b4c1e-8a5e-4b0e-9d4d-0123456789ab'::UUID,
                [1, NULL], {'a': 1, 'b': [true]}, MAP {'k': 1}, MAP {1: 'v'}, 'nan'::DOUBLE, 0.1::FLOAT, NULL, '{"j": 1}'::JSON,
                'b'::ENUM('a', 'b'), '101'::BIT, [1, 2]::INTEGER[2], union_value(n := 5)
            """)
        #expect(
            text.contains(
                #"[[9223372036854775807,170141183460469231731687303715884105727,-0.05,"0001-01-01","12:34:56.5","2026-11-24T01:02:03","1969-12-31T23:59:59.999999Z","P1Y2M3DT4H5M6.5S","a\"b","eA==","6f1b4c1e-8a5e-4b0e-9d4d-0123456789ab",[1,null],{"a":1,"b":[true]},{"k":1},[{"key":1,"value":"v"}],null,0.1,null,{"j": 1},"b","101",[1,2],5]]"#
            ), "\(text)")
    }

    @Test("CSV quotes what needs it, and tells NULL from an empty text")
    func csv() throws {
        let sql = SQLHarness()
        #expect(
            try sql.answer(
                "SELECT 'a,b' AS \"x\"\"y\", NULL AS n, '' AS e, [1] AS l, DATE '2026-01-02' AS d, 1.5::DOUBLE AS f",
                .csv)
                == "\"x\"\"y\",n,e,l,d,f\n\"a,b\",,\"\",[1],2026-01-02,1.5\n")
    }

    @Test("NDJSON is a line a row, also of JSON values with line ends")
    func lines() throws {
        let sql = SQLHarness()
        #expect(
            try sql.answer("SELECT i, '{\"a\":\n1}'::JSON AS j FROM range(2) t(i)", .lines)
                == "{\"i\":0,\"j\":{\"a\": 1}}\n{\"i\":1,\"j\":{\"a\": 1}}\n")
    }

    @Test("Parquet and Arrow begin and end as they should")
    func binary() throws {
        let sql = SQLHarness()
        var request = Query.Request("SELECT i, 'text ' || i AS s FROM range(10000) t(i)")
        request.format = .parquet
        #expect(try sql.begin(request).wait().hasPrefix("PAR1"))
        request.format = .arrow
        #expect(try !sql.begin(request).wait().isEmpty)
    }

    @Test("parameters are bound by place and by name")
    func parameters() throws {
        let sql = SQLHarness()
        func ask(_ text: String, _ parameters: Query.Parameters) throws -> String {
            var request = Query.Request(text)
            request.parameters = parameters
            return try sql.begin(request).wait()
        }
        #expect(try ask("SELECT $2, $1", .positional([.integer(1), .text("x")])).contains(#"[["x",1]]"#))
        #expect(try ask("SELECT $a", .named(["a": .boolean(true)])).contains("[[true]]"))
        #expect(throws: SQLFailure.self) { try ask("SELECT ?", .positional([])) }
        #expect(throws: SQLFailure.self) { try ask("SELECT $a", .named(["b": .null])) }
        #expect(throws: SQLFailure.self) { try ask("SELECT ?", .none) }
    }

    @Test("a query ends at its deadline however long there was none, and at once after another one")
    func deadlineAfterPauses() throws {
        let sql = SQLHarness()
        var request = Query.Request("SELECT count(*) FROM range(1000000000) a, range(1000000) b")
        request.timeoutMilliseconds = 50
        // Between them, the watch is waking up, ticks, has its last look, or sleeps.
        for pauseMilliseconds in [0, 5, 30, 110, 250] {
            #expect(throws: SQLFailure.timeout(milliseconds: 50)) { try sql.begin(request).wait() }
            WakeUp.pause(milliseconds: pauseMilliseconds)
        }
    }

    @Test("a query ends at its deadline")
    func deadline() throws {
        let sql = SQLHarness()
        var request = Query.Request("SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c")
        request.timeoutMilliseconds = 100
        #expect(throws: SQLFailure.timeout(milliseconds: 100)) { try sql.begin(request).wait() }
        #expect(sql.failure("SELECT 1") == nil)
    }

    @Test("a query ends when it is cancelled, while it runs and while it waits")
    func cancel() throws {
        let sql = SQLHarness { $0.workers = 1 }
        let long = Query.Request("SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c")
        let (first, second) = (sql.begin(long), sql.begin(long))
        while sql.service.queries.first?.phase != .running { pause() }
        let queries = sql.service.queries
        #expect(queries.map(\.phase) == [.running, .queued])
        for query in queries.reversed() { #expect(sql.service.cancel(query.identifier, why: "test")) }
        for running in [first, second] {
            #expect(throws: SQLFailure.cancelled("test")) { try running.wait() }
        }
        while !sql.service.queries.isEmpty { pause() }
        #expect(!sql.service.cancel("none", why: "test"))
    }

    @Test("a query that is cancelled before it began is gone")
    func cancelWaiting() throws {
        let sql = SQLHarness()
        let running = RunningQuery()
        let query = sql.service.add(Query.Request("SELECT 1")) { _, head in running.set(head) }
        #expect(sql.service.cancel(query.identifier, why: "test"))
        #expect(sql.service.queries.isEmpty)
        sql.service.begin(query)
        #expect(throws: SQLFailure.cancelled("test")) { try running.wait() }
        #expect(sql.service.queries.isEmpty)
        let late = RunningQuery()
        _ = sql.service.add(Query.Request("SELECT 1"), waitMilliseconds: 30) { _, head in late.set(head) }
        #expect(throws: SQLFailure.notVisible) { try late.wait() }
    }

    @Test("without a queue a query still finds a free worker")
    func noQueue() {
        let sql = SQLHarness { $0.queuedMax = 0 }
        #expect(sql.failure("SELECT 1") == nil)
    }

    @Test("types that are nested too deep have no form")
    func deepTypes() {
        let sql = SQLHarness()
        let deep = String(repeating: "[", count: 90) + "1" + String(repeating: "]", count: 90)
        #expect(sql.failure("SELECT \(deep)") != nil)
        let chain = (0..<100).map {
            "c\($0) AS (SELECT [[[[[[[[[[[[\($0 == 0 ? "1" : "x")]]]]]]]]]]]] x\($0 == 0 ? "" : " FROM c\($0 - 1)"))"
        }
        #expect(sql.failure("WITH \(chain.joined(separator: ", ")) FROM c99") != nil)
        #expect(sql.failure("SELECT 1") == nil)
    }

    @Test("no more wait than may")
    func queue() throws {
        let sql = SQLHarness {
            $0.workers = 1
            $0.queuedMax = 1
        }
        let long = Query.Request("SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000) c")
        let first = sql.begin(long)
        while sql.service.queries.first?.phase != .running { pause() }
        let second = sql.begin(long)
        #expect(throws: SQLFailure.queueFull(limit: 1)) { try sql.begin(long).wait() }
        for query in sql.service.queries { _ = sql.service.cancel(query.identifier, why: "test") }
        for running in [first, second] { #expect(throws: SQLFailure.self) { try running.wait() } }
    }

    @Test("rows and bytes of an answer are bounded")
    func bounds() {
        let sql = SQLHarness {
            $0.rowsMax = 1000
            $0.resultBytesMax = 100_000
        }
        #expect(sql.failure("FROM range(1001)") == .tooManyRows(limit: 1000))
        #expect(sql.failure("FROM range(1000)") == nil)
        #expect(
            sql.failure("SELECT i, repeat('x', 60000) FROM range(2) t(i)") == .tooLarge(limitBytes: 100_000))
    }

    @Test("now() is the engine's clock in test mode, and other clocks are refused")
    func testMode() throws {
        let sql = SQLHarness { $0.isTestMode = true }
        #expect(try sql.short("SELECT now()") == #""2023-11-14T22:13:20Z""#)
        sql.clock.advance(milliseconds: 1500)
        #expect(try sql.short("SELECT now()") == #""2023-11-14T22:13:21.5Z""#)
        for text in ["current_timestamp", "current_date", "today()"] {
            #expect(sql.failure("SELECT \(text)") != nil)
        }
    }

    @Test("tumble and hop give the windows of a moment")
    func windows() throws {
        let sql = SQLHarness()
        let moment = "TIMESTAMPTZ '2026-01-01 00:01:30+00'"
        #expect(try sql.short("SELECT tumble(\(moment), INTERVAL 1 MINUTE)") == #""2026-01-01T00:01:00Z""#)
        #expect(
            try sql.short("SELECT unnest(hop(\(moment), INTERVAL 1 MINUTE, INTERVAL 2 MINUTES))")
                == #""2026-01-01T00:01:00Z" "2026-01-01T00:00:00Z""#)
    }

    @Test("without a library there is no SQL, and it is said where one was looked for")
    func noLibrary() {
        let sql = SQLHarness { $0.libraryPath = "/nonexistent/libduckdb.so" }
        guard case .unavailable(let places)? = sql.failure("SELECT 1") else {
            Issue.record("no failure")
            return
        }
        #expect(places.contains("/nonexistent/libduckdb.so"))
    }
}

func pause() {
    let wakeUp = WakeUp()
    wakeUp.wait(since: wakeUp.generation, timeoutNanoseconds: 1_000_000)
}

@Suite("Parquet answers")
struct ParquetTests {
    let sql = SQLHarness()

    private func parquet(_ text: String) throws -> String { try sql.answer(text, .parquet) }

    @Test(
        "hold columns of every type",
        arguments: [
            "SELECT 1 AS a, [1] AS l, {'x': 1, 'y': [true]} AS s, 2 AS z", "SELECT MAP {'x': 1} AS m",
            "SELECT [1, 2]::INTEGER[2] AS f",
            "SELECT 'a'::ENUM('a', 'b') AS e", "SELECT 1 AS a, 2 AS a",
            "SELECT 1::DECIMAL(38,2) AS d, now() AS t, '{}'::JSON AS j",
            "SELECT 1 WHERE false",
        ])
    func types(text: String) throws { #expect(try parquet(text).hasPrefix("PAR1")) }

    @Test("that fail leave the next query alone")
    func failures() throws {
        for _ in 0..<3 {
            #expect(throws: SQLFailure.self) { try parquet("SELECT error('no') FROM range(10)") }
            #expect(throws: SQLFailure.self) {
                try parquet(
                    "SELECT CASE WHEN i = 90000 THEN error('late') ELSE i END FROM range(100000) t(i)")
            }
            #expect(try sql.short("SELECT 1") == "1")
            #expect(try parquet("SELECT 1").hasPrefix("PAR1"))
        }
    }
}
