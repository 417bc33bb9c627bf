import Support
import Testing

@testable import SQL

@Suite("The fence")
struct FenceTests {
    let sql = SQLHarness()

    @Test(
        "what could reach anything but logs is refused",
        arguments: [
            "SELECT * FROM read_csv('x')", "FROM 'x.csv'", "SELECT * FROM glob('*')",
            "COPY (SELECT 1) TO 'x'",
            "ATTACH 'x'", "INSTALL httpfs", "LOAD httpfs", "SET threads = 1", "PRAGMA version",
            "CREATE TABLE t (a INT)",
            "SELECT 1; SELECT 2", "SELECT current_setting('threads')", "FROM duckdb_settings()",
            "FROM duckdb_tables",
            "FROM information_schema.tables", "FROM sqlite_master", "FROM query('SELECT 1')",
            "SELECT main.abs(1)", "SHOW threads", "SHOW ALL TABLES", "SHOW TABLES FROM system", "DESCRIBE",
            "SELECT json_serialize_plan('SELECT 1')", "CALL duckdb_settings()", "", "-- nothing",
            "SELECT 1\0",
            "EXPLAIN CREATE TABLE t (a INT)", "EXPLAIN COPY (SELECT 1) TO 'x'", "DELETE FROM a", "BEGIN",
            "SELECT list_transform([1], lambda x: current_setting('threads'))",
            "WITH x AS (FROM read_text('y')) SELECT 1", "SELECT (SELECT count(*) FROM glob('*'))",
        ])
    func refused(text: String) { #expect(sql.failure(text) != nil) }

    @Test(
        "comments before EXPLAIN do not change what runs",
        arguments: [
            "/* /* */ EXPLAIN SELECT 1 -- */ EXPLAIN ANALYZE CREATE TABLE stash AS SELECT 1 a",
            "EXPLAIN (ANALYZE /* ) SELECT 1 -- */ ) CREATE TABLE stash AS SELECT 1 a",
            "--\u{0B}EXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE stash AS SELECT 1 a --*/",
            "--\u{2028}EXPLAIN SELECT 1 /*\nEXPLAIN ANALYZE CREATE TABLE stash AS SELECT 1 a --*/",
        ])
    func comments(text: String) {
        _ = sql.failure(text)
        #expect(sql.failure("SELECT * FROM stash") != nil)
    }

    @Test("functions that compute are allowed")
    func allowed() throws {
        #expect(try sql.short("SELECT sum(x) FROM range(10) t(x)") == "45")
        #expect(try sql.short("SELECT unnest([1, 2])") == "1 2")
        #expect(try sql.short("VALUES (1)") == "1")
        #expect(
            try sql.short(
                "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) FROM r")
                == "1 2 3")
        #expect(try !sql.answer("EXPLAIN ANALYZE SELECT 1").isEmpty)
        #expect(try !sql.answer("/* a */ explain (format json) SELECT 1").isEmpty)
    }

    @Test("a name that is no log is said to be none, with its place")
    func unknown() {
        #expect(sql.failure("SELECT 1 FROM nope") == .unknownLog("nope", position: 14))
        #expect(sql.failure("EXPLAIN SELECT 1 FROM nope") == .unknownLog("nope", position: 22))
        #expect(sql.failure("FROM log_records('nope')") == .unknownLog("nope", position: 5))
    }

    @Test("an error tells its place in the text")
    func positions() {
        guard case .query(let message, let position)? = sql.failure("SELECT 1,\n  nope FROM range(3)") else {
            Issue.record("no error")
            return
        }
        #expect(message.contains("nope"))
        #expect(position == 12)
    }

    @Test("EXPLAIN is taken off with its options, whatever stands between")
    func statementText() throws {
        let text = try StatementText("-- a\n/* /* b */ */ EXPLAIN /**/ (FORMAT JSON) SELECT 1")
        #expect(text.query == "SELECT 1")
        #expect(text.text == "EXPLAIN (FORMAT json) SELECT 1")
        #expect(text.clientPosition(text.explanation.utf8.count) == text.queryStart)
        #expect(try StatementText("explainx").explanation.isEmpty)
        #expect(try StatementText("EXPLAIN (SELECT 1)").query == "(SELECT 1)")
    }
}

@Suite("What would take too much")
struct AmplificationTests {
    let sql = SQLHarness { $0.timeoutMilliseconds = 20_000 }

    @Test(
        "is refused where a function takes its size",
        arguments: [
            "SELECT len(range(1000000000))", "SELECT len(range(i, 1000000000)) FROM range(3) t(i)",
            "SELECT len(range(0, 1000000000, 2))", "SELECT len(range(1000000000, 0, -2))",
            "SELECT repeat('x', 2000000000)", "SELECT repeat(repeat('x', 1000), 1000)",
            "SELECT generate_series(TIMESTAMP '2000-01-01', TIMESTAMP '2020-01-01', INTERVAL 1 SECOND)",
            "SELECT lpad('x', 2000000000, 'y')",
            "SELECT rpad('x', i, 'y') FROM range(100000, 100001) t(i)",
            "SELECT printf('%2000000000d', 1)", "SELECT format('{:2000000000d}', 1)",
            "SELECT format('{:{}d}', 1, 100000)",
            "SELECT bitstring('1', 2000000000)", "SELECT list_resize([1], 1000000000)",
            "SELECT replace(repeat('a', 60000), 'a', repeat('b', 60000))",
            "SELECT levenshtein(repeat('a', 60000), repeat('b', 60000))",
        ])
    func refused(text: String) { #expect(sql.failure(text) != nil) }

    @Test("and the same functions work within their bounds")
    func within() throws {
        #expect(
            try sql.short("SELECT range(3), range(1, 3), range(0, 10, 5), generate_series(2)")
                == "[0,1,2],[1,2],[0,5],[0,1,2]")
        #expect(
            try sql.short("SELECT repeat('ab', 2), lpad('x', 3, '-'), rpad('x', 3, '-')")
                == #""abab","--x","x--""#)
        #expect(
            try sql.short("SELECT printf('%05d', 7), format('{:>5}', 'a'), replace('aXa', 'X', 'yy')")
                == #""00007","    a","ayya""#)
        #expect(
            try sql.short("SELECT levenshtein('ab', 'ac'), list_resize([1], 2), count(*) FROM range(1000000)")
                == "1,[1,null],1000000")
    }

    @Test("lists of times are made with steps of intervals")
    func times() throws {
        #expect(
            try sql.short(
                "SELECT len(generate_series(DATE '2026-01-01', DATE '2026-02-01', INTERVAL 7 DAY)), range(3, 0, -1), range(0, 3, -1)"
            )
                == "5,[3,2,1],[]")
        #expect(try sql.short("SELECT repeat('a'::BLOB, 3)") == #""YWFh""#)
    }

    @Test("texts are bounded before they are parsed")
    func texts() {
        for text in [
            Array(repeating: "SELECT 1", count: 1000).joined(separator: " UNION ALL "),
            "SELECT " + String(repeating: "(", count: 1000) + "1" + String(repeating: ")", count: 1000),
            "SELECT [" + Array(repeating: "1", count: 20_000).joined(separator: ",") + "]",
            "SELECT '" + String(repeating: "x", count: 200_000) + "'",
            "SELECT 1 WHERE " + Array(repeating: "true", count: 5000).joined(separator: " AND "),
        ] {
            guard case .refused? = sql.failure(text) else {
                Issue.record("not refused: \(text.prefix(40))")
                continue
            }
        }
    }
}
