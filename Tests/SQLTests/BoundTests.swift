import JSON
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Bounds skip whole batches and lose nothing")
struct BoundTests {
    let sql = SQLHarness()

    private func fill() throws -> Log {
        let log = try sql.log("events")
        // Small batches of other times each, in no order.
        for hour in [3, 1, 4, 0, 2] {
            let start = 1_700_000_000_000 + Int64(hour) * 3_600_000
            try log.appendTexts(
                (0..<500).map {
                    #"{"hour":\#(hour),"n":\#($0),"filler":"\#(String(repeating: "x", count: 60))"}"#
                },
                timestamps: (0..<500).map { start + Int64($0) * 1000 })
        }
        return log
    }

    @Test(
        "every form of bound gives what a scan gives",
        arguments: [
            "_timestamp >= TIMESTAMPTZ '2023-11-15 00:13:20+00'", "_timestamp < '2023-11-14 23:20:00+00'",
            "timestamp BETWEEN TIMESTAMPTZ '2023-11-14 23:13:20+00' AND TIMESTAMPTZ '2023-11-15 00:00:00+00'",
            "TIMESTAMPTZ '2023-11-15 01:13:20+00' <= _timestamp AND n > 5", "_offset = 700",
            "_offset >= 1000 AND _offset < 1200",
            "_timestamp = TIMESTAMPTZ '1970-01-01 00:00:00+00' + to_seconds(1700003600)",
            "_timestamp > now() - INTERVAL '1000000 days'",
            "_offset < 100.5", "_timestamp >= NULL", "_timestamp > '9999-01-01'",
            "_timestamp >= DATE '2023-11-15'",
            // Rows lie a second apart from 22:13:20 on.
            "_timestamp > '2023-11-14 22:13:25'", "_timestamp >= '2023-11-14 22:13:25'",
            "_timestamp < '2023-11-14 22:13:25Z'", "_timestamp <= '2023-11-14 22:13:25.000'",
            "_timestamp > '2023-11-14 22:13:24.9995' AND _timestamp < '2023-11-14 22:13:30.000001'",
            "_timestamp <= '2023-11-14 22:13:24.999999'", "_timestamp = '2023-11-14 22:13:25'",
            "_timestamp = '2023-11-14 22:13:25.000001'", "'2023-11-14 22:13:25' > _timestamp AND hour = 0",
            "_timestamp BETWEEN '2023-11-14 22:13:25' AND '2023-11-14 22:13:24'",
            "(_timestamp)>='2023-11-15'AND(_offset)<1200 AND\n-- a comment\nn < 5", "NOT _offset > 7",
            "events._timestamp > '2023-11-15' AND events._offset >= -5", "_offset = 9223372036854775807",
            "_offset > 9223372036854775807", "_offset <= 9223372036854775807 AND _offset <> 3",
            "\"_offset\"<3", "_offset BETWEEN 3 AND 2000 AND _offset BETWEEN 490 AND 510",
        ])
    func same(condition: String) throws {
        _ = try fill()
        let bounded = try sql.short("SELECT count(*), sum(n), sum(_offset) FROM events WHERE \(condition)")
        // Of a log that is named twice no bound is used.
        let twice = "(\(condition)) AND (SELECT count(*) FROM events) > 0"
        #expect(try bounded == sql.short("SELECT count(*), sum(n), sum(_offset) FROM events WHERE \(twice)"))
    }

    @Test("bounds of one use of a log do not touch another")
    func twice() throws {
        _ = try fill()
        #expect(
            try sql.short(
                "SELECT (SELECT count(*) FROM events WHERE _offset < 10), (SELECT count(*) FROM events)")
                == "10,2500")
    }

    @Test("log_scan takes bounds as arguments, and filters")
    func logScan() throws {
        _ = try fill()
        #expect(
            try sql.short("SELECT count(*) FROM log_scan('events', from_offset := 10, to_offset := 30)")
                == "20")
        #expect(
            try sql.short(
                "SELECT count(*), min(hour), max(hour) FROM log_scan('events', since := TIMESTAMP '2023-11-15 00:13:20', until := TIMESTAMP '2023-11-15 01:14:00')"
            ) == "540,2,3")
    }

    @Test("a bound is found only where it can be one")
    func found() throws {
        func bounds(_ condition: String, from: String = "events") throws -> Int {
            let quoted = condition.replacing("'", with: "''")
            let rows = try sql.rows(
                "SELECT json_serialize_sql('SELECT 1 FROM \(from) WHERE \(quoted)')::VARCHAR")
            let json = rows.first?.arrayValue?.first?.stringValue ?? ""
            return BoundFinder(SyntaxTree(json)).bounds().count { $0.holdsBefore }
        }
        #expect(try bounds("_timestamp > now()") == 1)
        #expect(try bounds("_timestamp < now()") == 0)
        #expect(
            try bounds("_timestamp > TIMESTAMPTZ '2026-01-01' - (now() - '2025-01-01'::TIMESTAMPTZ)") == 0)
        #expect(try bounds("_timestamp > other") == 0)
        #expect(try bounds("e._timestamp > now() AND \"E\"._offset < 3", from: "events e") == 2)
        #expect(try bounds("events._timestamp > now() OR f._offset < 3", from: "events e") == 0)
        #expect(try bounds("_offset > 1", from: "events e(_offset)") == 0)
        #expect(try bounds("_timestamp > (SELECT 1)") == 0)
        #expect(try bounds("_offset > 1 OR n = 2") == 0)
        #expect(try bounds("_offset > random()") == 0)
        #expect(try bounds("_offset > 1", from: "events, other") == 0)
        #expect(try bounds("_offset = 1 AND _timestamp >= now() - INTERVAL 5 MINUTE") == 3)
    }
}
