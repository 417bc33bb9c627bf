import JSON
import Platform
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Comparisons that scans keep are taken out of the text, and mean the same")
struct PushdownTests {
    let sql = SQLHarness { $0.isTestMode = true }

    /// 40 batches of 100 rows, a second apart, up to the clock's now.
    private func fill(_ name: String = "events") throws -> Log {
        let log = try sql.log(name)
        let start = sql.clock.now() - 4_000_000
        for batch in 0..<40 {
            let rows = batch * 100..<(batch + 1) * 100
            try log.appendTexts(
                rows.map { #"{"n":\#($0),"filler":"\#(String(repeating: "x", count: 60))"}"# },
                timestamps: rows.map { start + Int64($0 + 1) * 1000 })
        }
        return log
    }

    private func pushdown(_ query: String) throws -> Pushdown? {
        func tree(_ query: String) throws -> SyntaxTree {
            let quoted = query.replacing("'", with: "''")
            let rows = try sql.rows("SELECT json_serialize_sql('\(quoted)')::VARCHAR")
            return SyntaxTree(rows.first?.arrayValue?.first?.stringValue ?? "")
        }
        let parsed = try tree(query)
        guard let pushdown = Pushdown(BoundFinder(parsed).bounds(), of: query, parsed) else { return nil }
        #expect(try pushdown.isSame(as: tree(pushdown.query)))
        #expect(pushdown.query.utf8.count == query.utf8.count)
        return pushdown
    }

    @Test(
        "what DuckDB reads",
        arguments: [
            ("SELECT 1 FROM e WHERE _offset < 5", "SELECT 1 FROM e WHERE  true      "),
            ("SELECT 'ä' FROM e WHERE(_offset<5)AND x", "SELECT 'ä' FROM e WHERE( true    )AND x"),
            (
                "FROM e WHERE x AND _offset BETWEEN 1 AND 2 AND y",
                "FROM e WHERE x AND  true                   AND y"
            ),
            (
                "FROM e f WHERE 5 <= f._offset --x\nORDER BY ALL",
                "FROM e f WHERE  true          --x\nORDER BY ALL"
            ),
            ("FROM e WHERE _offset >\n5", "FROM e WHERE  true    \n "),
            ("FROM e WHERE\"_offset\"=5", "FROM e WHERE true      "),
            (
                "FROM e WHERE _timestamp > '2026-01-01'::TIMESTAMPTZ",
                "FROM e WHERE  true                                 "
            ),
            (
                "SELECT m FROM (SELECT max(n) m FROM e WHERE _offset < 5)",
                "SELECT m FROM (SELECT max(n) m FROM e WHERE  true      )"
            ),
        ])
    func read(query: String, expected: String) throws {
        let read = try pushdown(query)?.query
        #expect(read == expected)
    }

    @Test(
        "what is left to DuckDB",
        arguments: [
            "_offset < 5.5", "_offset < n", "_offset < 5 OR n = 1", "NOT _offset < 5", "_offset <> 5",
            "_offset < random()", "_timestamp > 'yesterday'", "_timestamp > DATE '2026-01-01'",
            "timestamp > '2026-01-01'", "_timestamp > '0000-01-01'", "_timestamp > '2026-01-01 00:00:60'",
            "_timestamp > '2026-01-01 00:00:00+15:00'", "_timestamp > '2026-02-30'",
            "_timestamp > now() - INTERVAL '9999999 days'", "_timestamp > now() - INTERVAL 1 MONTH",
            "_timestamp > now() AND n < epoch(now())", "_timestamp > now() AND current_date > '2026-01-01'",
            "_offset > 9223372036854775807", "_timestamp BETWEEN '2026-01-01' AND now() + INTERVAL 1 DAY",
            "_offset BETWEEN 1 AND n", "_offset < $1", "f._offset < 5",
            "current_query() <> '' AND _offset < 5",
            "_timestamp >= date_trunc('day', now()) AND _timestamp < now()",
            // DuckDB refuses these.
            "_timestamp > now() - INTERVAL '+5 minutes'", "_timestamp > now() - to_hours(5::DOUBLE)",
            "_timestamp > now() - to_weeks('1')", "_timestamp > now() - to_hours(trunc('5'))",
            "_timestamp > now() - to_minutes(a := 5)", "_timestamp > now() - to_minutes(DISTINCT 5)",
            "_timestamp > now() - to_minutes(5 ORDER BY 1)", "_timestamp > now() FILTER (WHERE true)",
            "_timestamp > CAST('2026-01-01' AS TIMESTAMPTZ(3))", "_timestamp > '2026-01-01'::foo.timestamp",
        ])
    func left(condition: String) throws {
        #expect(try pushdown("SELECT n FROM e WHERE \(condition)") == nil)
    }

    @Test("a name that means another table's column, or another table, is left alone")
    func names() throws {
        #expect(try pushdown("SELECT (SELECT count(*) FROM f WHERE e._offset < 5) FROM e") == nil)
        #expect(try pushdown("WITH e AS (SELECT 1 AS _offset) SELECT 1 FROM e WHERE _offset < 5") == nil)
        #expect(try pushdown("SELECT 1 FROM e g(_offset) WHERE _offset < 5") == nil)
        #expect(try pushdown("SELECT 1 FROM e, f WHERE _offset < 5") == nil)
        #expect(try pushdown("SELECT 1 FROM e WHERE _offset < 5 USING SAMPLE 3 ROWS") == nil)
        #expect(
            try pushdown("SELECT 1 FROM f AS \"é\" WHERE EXISTS (FROM e AS \"É\" WHERE \"é\"._offset < 5)")
                == nil)
        _ = try fill()
        _ = try fill("others")
        #expect(
            try sql.short(
                "SELECT sum((SELECT count(*) FROM others WHERE events._offset < 5)) FROM events WHERE n < 10")
                == "20000")
        #expect(
            try sql.short(
                "WITH events AS (SELECT n - 3900 AS _offset FROM others) SELECT count(*) FROM events WHERE _offset < 0"
            ) == "3900")
    }

    @Test(
        "the clock is the one of the cut, on both sides",
        arguments: [
            ("_timestamp > now() - INTERVAL 1 MINUTE", 60), ("_timestamp >= now() - INTERVAL '1 minute'", 61),
            ("_timestamp >= now() - INTERVAL '2' MINUTES AND n % 2 = 0", 60),
            ("_timestamp BETWEEN now() - INTERVAL 30 SECOND AND now()", 31), ("_timestamp < now()", 3999),
            ("_timestamp <= now() - INTERVAL 1 HOUR", 400), ("now() = _timestamp", 1),
        ])
    func clock(condition: String, count: Int) throws {
        _ = try fill()
        #expect(try pushdown("SELECT 1 FROM events WHERE \(condition)") != nil)
        #expect(try sql.short("SELECT count(*) FROM events WHERE \(condition)") == "\(count)")
        sql.clock.advance(milliseconds: 10_000)
        let later = try sql.rows(
            "SELECT max(n), count(*) FROM events WHERE _timestamp > now() - INTERVAL 1 MINUTE")
        #expect(later.first?.arrayValue?.last?.integerValue == 50)
    }

    @Test("any constant cuts where DuckDB would cut")
    func anyConstant() throws {
        _ = try fill()
        let start = sql.clock.now() - 4_000_000
        var generator = SystemRandomNumberGenerator()
        let comparisons = ["<", "<=", ">", ">=", "="]
        for _ in 0..<150 {
            let microseconds =
                (start + Int64.random(in: -1...4001, using: &generator) * 1000) * 1000
                + ([0, 0, 1, -1, 500, 999, 1000, -1000].randomElement(using: &generator) ?? 0)
            let text =
                try sql.rows("SELECT make_timestamptz(\(microseconds))::VARCHAR").first?.arrayValue?.first?
                .stringValue ?? ""
            let comparison = comparisons.randomElement(using: &generator) ?? "<"
            let condition = "_timestamp \(comparison) '\(text)'"
            #expect(try pushdown("FROM events WHERE \(condition)") != nil)
            #expect(
                try sql.short("SELECT count(*), sum(n) FROM events WHERE \(condition)")
                    == sql.short(
                        "SELECT count(*), sum(n) FROM events WHERE epoch_us(_timestamp) \(comparison) \(microseconds)"
                    ),
                "\(condition)")
        }
    }

    @Test("what DuckDB cannot read in the text is left to it")
    func unread() throws {
        _ = try fill()
        for text in [
            "SELECT count(*) FROM events WHERE (_offset) BETWEEN 15 AND 1499",
            "SELECT count(*)\u{A0}FROM events WHERE _offset BETWEEN 15 AND 1499",
            "\u{FEFF}SELECT count(*) FROM events WHERE /*\u{3000}*/ _offset BETWEEN 15 AND 1499",
        ] { #expect(try sql.short(text) == "1485", "\(text)") }
        guard
            case .query(let message, _)? = sql.failure(
                "SELECT 1 FROM events WHERE (_offset) BETWEEN 1 AND 2 AND nope")
        else {
            Issue.record("no error of the query's")
            return
        }
        #expect(message.contains("nope"))
    }

    @Test("columns without a name are called as the client wrote them")
    func columnNames() throws {
        _ = try fill()
        #expect(
            try sql.types("SELECT (SELECT count(*) FROM events WHERE _offset > 5)")
                == ["(SELECT count_star() FROM events WHERE (_offset > 5)) BIGINT"])
        #expect(
            try sql.short(
                "SELECT (SELECT count(*) FROM events WHERE _offset > 5 AND _timestamp < '2000-01-01')")
                == "0")
    }

    @Test("a record is older than the now() of a query behind it")
    func ownWrite() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(["{}"])
        #expect(try sql.short("SELECT count(*) FROM events WHERE _timestamp < now()") == "1")
        #expect(try sql.short("SELECT count(*) FROM events WHERE _timestamp >= now()") == "0")
    }

    @Test("texts and fields that Unicode takes for equal are different ones")
    func equivalentTexts() throws {
        let log = try sql.log("words")
        let (composed, decomposed) = ("\u{E9}", "e\u{301}")
        try log.appendTexts([
            #"{"c":"\#(composed)","\#(composed)":1}"#, #"{"c":"\#(decomposed)","\#(decomposed)":2}"#,
        ])
        #expect(try sql.short("SELECT _offset FROM words WHERE c = '\(composed)'") == "0")
        #expect(try sql.short("SELECT _offset FROM words WHERE c = '\(decomposed)'") == "1")
        #expect(try sql.short("SELECT strlen('\(composed)')") == "2")
        #expect(try sql.short("SELECT strlen('\(decomposed)')") == "3")
        #expect(try sql.short("SELECT \"\(composed)\" FROM words ORDER BY _offset") == "1 null")
        #expect(
            try sql.short("SELECT \"\(composed)\", \"\(decomposed)_1\" FROM words ORDER BY _offset")
                == "1,null null,2")
    }

    @Test("one statement that is kept serves other constants, other times and new rows")
    func kept() throws {
        let log = try fill()
        func count(_ offset: Int) throws -> String {
            try sql.short("SELECT count(*) FROM events WHERE _offset >= \(offset)")
        }
        #expect(try count(3000) == "1000")
        #expect(try count(3500) == "500")
        try log.appendTexts([#"{"n":1}"#])
        #expect(try count(3000) == "1001")
        #expect(try count(9000) == "0")
    }

    @Test("the newest rows of keys are chosen before the bounds are")
    func keys() throws {
        let log = try sql.log("stock") { $0.compaction = .keys }
        for value in 0..<3 {
            for key in 0..<50 { _ = try log.put("k\(key)", "\(value)") }
        }
        #expect(try sql.short("SELECT count(*) FROM stock WHERE _offset < 100") == "0")
        #expect(try sql.short("SELECT count(*) FROM stock WHERE _offset >= 120") == "30")
    }

    @Test("errors name the place in the client's text")
    func errors() throws {
        _ = try fill()
        let text = "SELECT n FROM events WHERE _offset < 5 AND\n  nope = 1"
        guard case .query(_, let position)? = sql.failure(text) else {
            Issue.record("no error of the query's")
            return
        }
        #expect(position == text.utf8.count - "nope = 1".utf8.count)
        #expect(try sql.short("EXPLAIN \(text.replacing("nope", with: "n"))").contains("LOG_TABLE"))
    }

    @Test("fields of batches that are passed over are columns all the same")
    func fieldsElsewhere() throws {
        let log = try fill()
        #expect(try sql.short("SELECT count(*) FROM events WHERE _offset < 10") == "10")
        try log.appendTexts((0..<500).map { #"{"n":1,"fresh":\#($0)}"# })
        #expect(try sql.short("SELECT count(*), count(fresh) FROM events WHERE _offset < 10") == "10,0")
        #expect(try sql.short("SELECT sum(fresh) FROM events WHERE _offset >= 4100") == "119800")
    }

    @Test("batches keep their places in several partitions, and when the first ones go")
    func places() throws {
        let log = try sql.log("events") { $0.partitions = 3 }
        for partition in 0..<3 {
            for batch in 0..<20 {
                let draft = Draft.of((0..<400).map { #"{"n":\#(batch * 400 + $0),"p":\#(partition)}"# })
                var options = AppendOptions()
                options.partition = partition
                _ = try log.append(draft, options)
            }
        }
        func check(from first: Int) throws {
            let start = max(first, 1000)
            #expect(
                try sql.short(
                    "SELECT p, count(*), min(n), max(n), count(*) FILTER (p <> _partition OR n <> _offset) FROM events WHERE _offset >= 1000 AND _offset < 7000 GROUP BY ALL ORDER BY ALL"
                ) == "0,\(7000 - start),\(start),6999,0 1,6000,1000,6999,0 2,6000,1000,6999,0")
        }
        try check(from: 0)
        _ = try log.trim(partition: 0, before: Offset(5000))
        try check(from: 5000)
        try check(from: 5000)
    }
}
