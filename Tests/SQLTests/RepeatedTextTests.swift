import JSON
import Platform
import StorageEngine
import Support
import Testing

@testable import SQL

/// What is kept of a text, a statement and a log's fields between queries must never show.
@Suite("A text that is asked again")
struct RepeatedTextTests {
    let sql = SQLHarness()

    @Test("sees new records, new fields and wider types")
    func changes() throws {
        let log = try sql.log("events")
        let text = "SELECT * EXCLUDE (_timestamp) FROM events ORDER BY _offset"
        try log.appendTexts([#"{"a":1}"#])
        for _ in 0..<2 { #expect(try sql.types(text).first == "a BIGINT") }
        try log.appendTexts([#"{"a":1.5,"b":"x"}"#])
        for _ in 0..<2 { #expect(try sql.types(text).prefix(2) == ["a DOUBLE", "b VARCHAR"]) }
        #expect(try sql.rows(text).count == 2)
        for round in 0..<3 {
            try log.appendTexts([#"{"a":1}"#])
            #expect(
                try sql.short("SELECT count(*), sum(a) FROM events") == "\(3 + round),\(3.5 + Double(round))")
        }
        let describe = "DESCRIBE events"
        let before = try sql.rows(describe).count
        try log.appendTexts([#"{"c":true}"#])
        #expect(try sql.rows(describe).count == before + 1)
        #expect(try sql.rows("SHOW events").count == before + 1)
    }

    @Test("notices that its log is gone, and that it is there again")
    func logs() throws {
        let text = "SELECT count(*) FROM events"
        #expect(sql.failure(text) == .unknownLog("events", position: 21))
        try sql.log("events").appendTexts([#"{"a":1}"#])
        for _ in 0..<3 { #expect(try sql.short(text) == "1") }
        try sql.engine.deleteLog(named: "events")
        #expect(sql.failure(text) == .unknownLog("events", position: 21))
        try sql.log("events").appendTexts([#"{"b":1}"#, #"{"b":2}"#])
        #expect(try sql.short(text) == "2")
        #expect(try sql.short("SELECT sum(b) FROM events") == "3")
    }

    @Test("is refused again, and takes no parameters that it has no place for")
    func refusals() throws {
        try sql.log("events").appendTexts([#"{"a":1}"#])
        for _ in 0..<2 { #expect(sql.failure("SELECT getenv('HOME') FROM events") != nil) }
        let position = sql.failure("SELECT a, nope FROM events")
        #expect(position == sql.failure("SELECT a, nope FROM events"))
        #expect(try sql.short("SELECT a FROM events") == "1")
        var request = Query.Request("SELECT a FROM events")
        request.parameters = .positional([.integer(1)])
        #expect(throws: SQLFailure.self) { try sql.begin(request).wait() }
        request.text = "SELECT a + ? FROM events"
        for _ in 0..<2 { #expect(try sql.begin(request).wait().contains("[[2]]")) }
        request.parameters = .positional([.integer(2)])
        #expect(try sql.begin(request).wait().contains("[[3]]"))
    }

    @Test("keeps nothing of a log that is deleted")
    func deleted() throws {
        weak var deleted: Log?
        do {
            let log = try sql.log("events")
            try log.appendTexts([#"{"a":1}"#])
            for _ in 0..<3 { _ = try sql.short("SELECT sum(a) FROM events") }
            deleted = log
        }
        try sql.engine.deleteLog(named: "events")
        // A query lets go of what it read after its answer is there.
        for _ in 0..<200 where deleted != nil { WakeUp.pause(milliseconds: 10) }
        #expect(deleted == nil)
        #expect(sql.engine.memory.bytes(.columns) == 0)
        #expect(sql.engine.memory.bytes(.pinned) == 0)
    }

    @Test("rows of large batches are all there, in their order where one thread reads")
    func largeBatches() throws {
        let log = try sql.log("events") { $0.partitions = 2 }
        let filler = String(repeating: "x", count: 70)
        for start in stride(from: 0, to: 60_000, by: 10_000) {
            try log.appendTexts(
                (start..<start + 10_000).map {
                    #"{"n":\#($0),"even":\#($0 % 2 == 0 ? "true" : "null"),"f":"\#(filler)"}"#
                })
        }
        #expect(
            try sql.short(
                "SELECT count(*), sum(n), count(DISTINCT n), count(even), sum(n) FILTER (even) FROM events")
                == "60000,1799970000,60000,30000,899970000")
        #expect(
            try sql.short(
                "SELECT n % 10, count(*), min(f) = max(f), min(_offset) >= 0 FROM events GROUP BY 1 ORDER BY 1 LIMIT 2"
            )
                == "0,6000,true,true 1,6000,true,true")
        let answer = try sql.answer("SELECT _partition * 1000000000 + _offset FROM events", .csv)
        let places = answer.split { $0.isNewline }.compactMap { Int($0) }
        #expect(places.count == 60_000)
        #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
    }

    @Test(
        "literals of bounds are read as DuckDB reads them",
        arguments: [
            ("_offset > 5", BoundLiteral.value(5)), ("_offset > -5", .value(-5)), ("_offset > 5.5", nil),
            ("_timestamp > TIMESTAMPTZ '2026-01-01 02:00:00+00'", .value(1_767_232_800_000)),
            ("_timestamp > TIMESTAMPTZ '2026-01-01 02:00:00+02:00'", .value(1_767_225_600_000)),
            ("_timestamp > TIMESTAMP '2026-01-01 02:00:00.25'", .value(1_767_232_800_250)),
            ("_timestamp > TIMESTAMP '2026-01-01 02:00:00+02'", nil),
            ("_timestamp > '2026-01-01T02:00:00Z'", .value(1_767_232_800_000)),
            ("_timestamp > '2026-01-01'", .value(1_767_225_600_000)),
            ("_timestamp > 'yesterday'", nil), ("_timestamp > DATE '2026-01-01'", nil),
            ("_timestamp > now()", .beforeNow(milliseconds: 0)),
            ("_timestamp > now() - INTERVAL 5 MINUTE", .beforeNow(milliseconds: 300_000)),
            ("_timestamp > now() - INTERVAL '2 hours'", .beforeNow(milliseconds: 7_200_000)),
            ("_timestamp > now() - INTERVAL '-2 hours'", nil), ("_timestamp > now() - INTERVAL 1 MONTH", nil),
            ("_timestamp > now() + INTERVAL 1 DAY", nil),
        ] as [(String, BoundLiteral?)])
    func literals(condition: String, expected: BoundLiteral?) throws {
        let quoted = condition.replacing("'", with: "''")
        let rows = try sql.rows(
            "SELECT json_serialize_sql('SELECT 1 FROM events WHERE \(quoted)')::VARCHAR, epoch_ms(\(expression(condition)))"
        )
        let cells = rows.first?.arrayValue ?? []
        let bounds = BoundFinder(SyntaxTree(cells.first?.stringValue ?? "")).bounds()
        #expect(bounds.count == 1)
        #expect(bounds.first?.literal == expected)
        if case .value(let value)? = expected, condition.hasPrefix("_timestamp") {
            #expect(cells.last?.integerValue == value)
        }
    }

    /// What is compared with, as an instant.
    private func expression(_ condition: String) -> String {
        guard condition.hasPrefix("_timestamp > "), condition.contains("2026") else {
            return "NULL::TIMESTAMPTZ"
        }
        return "CAST(\(condition.dropFirst("_timestamp > ".count)) AS TIMESTAMPTZ)"
    }
}
