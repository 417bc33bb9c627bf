import Platform
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Columns extracted from JSON")
struct ColumnCacheTests {
    private static func values(_ count: Int) -> [String] {
        (0..<count).map { #"{"n":\#($0),"s":"text \#($0)"}"# }
    }

    @Test("are kept and charged to their log, and go with its data")
    func charged() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(5000))
        #expect(log.account.bytes(.columns) == 0)
        #expect(try sql.short("SELECT sum(n) FROM events") == "12497500")
        let afterOne = log.account.bytes(.columns)
        #expect(afterOne > 5000 * 8)
        #expect(try sql.short("SELECT sum(n) FROM events") == "12497500")
        #expect(log.account.bytes(.columns) == afterOne)
        #expect(try sql.short("SELECT count(DISTINCT s) FROM events") == "5000")
        #expect(log.account.bytes(.columns) > afterOne + 5000 * 16)
    }

    @Test("do not keep a deleted log")
    func deleted() throws {
        let sql = SQLHarness()
        weak var deleted: Log?
        do {
            let log = try sql.log("events")
            try log.appendTexts(Self.values(5000))
            _ = try sql.short("SELECT sum(n) FROM events")
            deleted = log
        }
        try sql.engine.deleteLog(named: "events")
        // The connection lets go of the last statement with the next one.
        _ = try sql.short("SELECT 1")
        // A thread of DuckDB may hold what it worked on for a moment longer.
        for _ in 0..<500 where deleted != nil { Clock.pause(milliseconds: 10) }
        #expect(deleted == nil)
        #expect(sql.engine.memory.bytes(.columns) == 0)
    }

    @Test("give way before any record does")
    func shed() throws {
        let sql = SQLHarness(maxMemoryBytes: 64 << 20)
        let log = try sql.log("events") { $0.memory.maxBytes = 4 << 20 }
        try log.appendTexts(Self.values(20_000))
        _ = try sql.short("SELECT sum(n), count(DISTINCT s) FROM events")
        #expect(log.account.bytes(.columns) > 0)
        var appended = 20_000
        // Until it is full: the log refuses, it does not evict.
        while (try? log.appendTexts(Self.values(1000))) != nil { appended += 1000 }
        #expect(appended > 60_000)
        #expect(log.account.bytes(.columns) == 0)
        #expect(try sql.short("SELECT count(*) FROM events") == "\(appended)")
    }

    @Test("of a log without room are made for each query, and not kept")
    func noRoom() throws {
        let sql = SQLHarness(maxMemoryBytes: 64 << 20)
        let log = try sql.log("events") { $0.memory.maxBytes = 1 << 20 }
        var appended = 0
        while (try? log.appendTexts(Self.values(500))) != nil { appended += 500 }
        for _ in 0..<3 {
            #expect(try sql.short("SELECT count(n) FROM events") == "\(appended)")
            #expect(log.account.bytes(.columns) == 0)
        }
    }

    @Test("of fields that are all there are marked so, and of others are not")
    func full() throws {
        let sql = SQLHarness()
        let log = try sql.log("events")
        try log.appendTexts(Self.values(100) + [#"{"n":null}"#] + Self.values(30))
        #expect(
            try sql.short("SELECT count(*), count(n), count(s), sum(n) FROM events") == "131,130,130,5385")
    }

    @Test("bits are copied from and to any place")
    func bits() {
        let source: [UInt64] = [0xF0F0_1234_5678_9ABC, 0x0123_4567_89AB_CDEF, 0xFFFF_0000_FFFF_0000, 0]
        func bit(_ words: [UInt64], _ index: Int) -> Bool {
            words[index >> 6] & (1 << UInt64(index & 63)) != 0
        }
        for start in [0, 1, 31, 63, 64, 65] {
            for count in [1, 63, 64, 65, 100] {
                var read = [UInt64](repeating: 0, count: 4)
                readBits(source, at: start, count: count, into: &read)
                var written = [UInt64](repeating: 0, count: 4)
                copyBits(source, count: count, to: &written, at: start)
                for index in 0..<count {
                    #expect(bit(read, index) == bit(source, start + index))
                    #expect(bit(written, start + index) == bit(source, index))
                }
                if start > 0 { #expect(!bit(written, start - 1)) }
            }
        }
    }
}
