import JSON
import Platform
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Lists of a log's columns")
struct ColumnListTests {
    private static let question = "SELECT count(*), sum(n), count(s) FROM events"

    private static func values(_ range: Range<Int>) -> [String] {
        range.map { #"{"n":\#($0),"s":"a text that is longer than twelve bytes \#($0)"}"# }
    }

    private static func answer(_ count: Int) -> String { "\(count),\(count * (count - 1) / 2),\(count)" }

    private static func list(_ log: Log) -> ColumnList? {
        log.facts.columns.list(FieldRequest(name: "n", type: FieldType(inferredFrom: .integer)))
    }

    @Test("are made by the first query that reads to the end, and used by those that follow")
    func made() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(0..<60_000))
        #expect(Self.list(log) == nil)
        #expect(try sql.short(Self.question) == Self.answer(60_000))
        let list = try #require(Self.list(log))
        let marks = sql.engine.cut(of: [log]).parts[0].marks
        #expect(marks.count > 2)
        for (place, mark) in marks.enumerated() {
            #expect(list.column(at: place, mark)?.rowCount == mark.rowsEnd)
            #expect(list.column(at: place + 1, mark) == nil)
        }
        #expect(try sql.short(Self.question) == Self.answer(60_000))
        #expect(Self.list(log) === list)
    }

    @Test("do not hide rows that came after them, nor show rows that are gone")
    func changes() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        var count = 0
        for step in [30_000, 10, 1, 20_000, 3, 5000] {
            try log.appendTexts(Self.values(count..<count + step))
            count += step
            #expect(try sql.short(Self.question) == Self.answer(count))
            #expect(try sql.short(Self.question) == Self.answer(count))
        }
        let first = count / 2
        _ = try log.trim(partition: 0, before: Offset(Int64(first)))
        #expect(
            try sql.short("SELECT count(*), min(n), max(n) FROM events")
                == "\(count - first),\(first),\(count - 1)")
    }

    @Test("have the records' own times, as far as DuckDB's instants reach")
    func times() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        var times: [Int64] = []
        for step in [30_000, 1, 9000] {
            let start = times.count
            times += (start..<start + step).map { Int64($0) * 1000 }
            // Past what a count of microseconds holds.
            if start == 0 { times[100] = Int64.max / 1000 }
            try log.appendTexts(
                Self.values(start..<start + step), timestamps: Array(times[start...]))
            let question = "SELECT count(*), count(_timestamp), epoch_ms(max(_timestamp)), max(n) FROM events"
            let last = times.count - 1
            for _ in 0..<2 {
                #expect(
                    try sql.short(question) == "\(last + 1),\(last),\(last * 1000),\(last)")
                #expect(
                    try sql.short("SELECT count(*) FROM events WHERE _timestamp >= to_timestamp(\(last - 2))")
                        == "3")
                #expect(try sql.short("SELECT n FROM events WHERE _timestamp IS NULL") == "100")
            }
        }
        #expect(log.facts.columns.list(.recordTime) != nil)
        #expect(
            try sql.short("SELECT count(*) FROM events WHERE _timestamp IS DISTINCT FROM timestamp") == "0")
    }

    @Test("keep no columns of batches that are gone")
    func gone() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(0..<60_000))
        _ = try sql.short(Self.question)
        #expect(log.account.bytes(.columns) > 60_000 * 8)
        _ = try log.trim(partition: 0, before: Offset(60_000))
        // Trimmed batches are let go of bit by bit.
        var tries = 0
        while log.account.bytes(.columns) > 0, tries < 1000 {
            sql.clock.advance(milliseconds: 1000)
            // The connection lets go of the last statement with the next one.
            _ = try sql.short("SELECT 1")
            tries += 1
        }
        #expect(log.account.bytes(.columns) == 0)
    }

    @Test("are dropped when memory is short")
    func shed() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(0..<60_000))
        _ = try sql.short(Self.question)
        let cache = ColumnCache()
        cache.add(log.facts.columns, of: log)
        #expect(Self.list(log) != nil)
        cache.shed(log.account, bytes: 1, isServer: false)
        #expect(Self.list(log) == nil)
        #expect(try sql.short(Self.question) == Self.answer(60_000))
    }

    @Test("are not made anew for a few new columns")
    func fewNew() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(0..<400_000))
        #expect(try sql.short(Self.question) == Self.answer(400_000))
        let list = try #require(Self.list(log))
        #expect(list.count > 16)
        try log.appendTexts(Self.values(400_000..<400_100))
        #expect(try sql.short(Self.question) == Self.answer(400_100))
        #expect(Self.list(log) === list)
    }
}
