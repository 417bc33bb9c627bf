import Platform
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Logs as tables")
struct LogTableTests {
    let sql = SQLHarness()

    @Test("fields of values are columns, in the order of their first appearance")
    func fields() throws {
        let log = try sql.log("events")
        try log.appendTexts([#"{"b":1,"a":"x"}"#, #"{"a":"y","c":true}"#])
        #expect(try sql.short("SELECT b, a, c FROM events") == #"1,"x",null null,"y",true"#)
        #expect(
            try sql.types("SELECT * FROM events").prefix(4) == [
                "b BIGINT", "a VARCHAR", "c BOOLEAN", "_partition INTEGER",
            ])
    }

    @Test("types widen with what is appended: BIGINT, DOUBLE, JSON")
    func widening() throws {
        let log = try sql.log("events")
        try log.appendTexts([#"{"v":1}"#])
        #expect(try sql.types("SELECT v FROM events") == ["v BIGINT"])
        try log.appendTexts([#"{"v":1.5}"#])
        #expect(try sql.types("SELECT v FROM events") == ["v DOUBLE"])
        #expect(try sql.short("SELECT v FROM events") == "1.0 1.5")
        try log.appendTexts([#"{"v":{"n":2}}"#])
        #expect(try sql.types("SELECT v FROM events") == ["v JSON"])
        #expect(try sql.short("SELECT v FROM events") == #"1 1.5 {"n":2}"#)
    }

    @Test("a keyed log shows the newest live record of each key; log_records shows what is kept")
    func keyed() throws {
        let log = try sql.log("users") { $0.compaction = .keys }
        _ = try log.put("a", #"{"n":1}"#)
        _ = try log.put("b", #"{"n":2}"#)
        _ = try log.put("a", #"{"n":3}"#)
        _ = try log.put("c", #"{"n":4}"#)
        _ = try log.delete("b")
        #expect(try sql.short("SELECT _key, n FROM users ORDER BY 1") == #""a",3 "c",4"#)
        #expect(try sql.short("SELECT count(*), count(_value) FROM log_records('users')") == "5,4")
    }

    @Test("an expired record is gone at its deadline")
    func expiry() throws {
        let log = try sql.log("sessions") { $0.compaction = .keys }
        _ = try log.put("a", #"{"n":1}"#) { $0.expiry = .at(milliseconds: sql.clock.now() + 1000) }
        _ = try log.put("b", #"{"n":2}"#)
        #expect(try sql.short("SELECT count(*), sum(n) FROM sessions") == "2,3")
        sql.clock.advance(milliseconds: 1000)
        #expect(try sql.short("SELECT count(*), sum(n) FROM sessions") == "1,2")
    }

    @Test("rows appended after a query are there in the next one, whatever was extracted before")
    func tail() throws {
        let log = try sql.log("events")
        var sum = 0
        for round in 0..<20 {
            try log.appendTexts(
                (0..<70).map { #"{"n":\#(round * 70 + $0),"s":"escaped \n text, long \#($0)"}"# })
            sum += (0..<70).reduce(0) { $0 + round * 70 + $1 }
            #expect(
                try sql.short("SELECT count(*), sum(n), max(len(s)) FROM events")
                    == "\((round + 1) * 70),\(sum),23")
        }
    }

    @Test("timestamp and key name the record's own where no field has that name")
    func aliases() throws {
        let log = try sql.log("events") { $0.compaction = .keys }
        _ = try log.put("k", #"{"n":1}"#)
        #expect(try sql.short("SELECT key, timestamp = _timestamp FROM events") == #""k",true"#)
        _ = try log.put("k", #"{"key":"mine"}"#)
        #expect(try sql.short("SELECT key FROM events") == #""mine""#)
        #expect(try !sql.types("SELECT * FROM events").contains("timestamp TIMESTAMP WITH TIME ZONE"))
    }

    @Test("a field that differs from another by case only gets a number")
    func spelling() throws {
        let log = try sql.log("events")
        try log.appendTexts([#"{"a":1,"A":2,"_KEY":3}"#])
        #expect(try sql.short("SELECT a, A_1, _KEY_1 FROM events") == "1,2,3")
    }

    @Test("names with dots and dashes are quoted", arguments: ["a.csv", "b.parquet", "x-1", "1st", "select"])
    func names(name: String) throws {
        try sql.log(name).appendTexts([#"{"n":7}"#])
        #expect(try sql.short("SELECT n FROM \"\(name)\"") == "7")
        #expect(try sql.short("SELECT n FROM log_table('\(name)')") == "7")
    }

    @Test("what is no JSON is NULL in fields, and stands in _value")
    func otherValues() throws {
        let log = try sql.log("mixed")
        try log.appendTexts([#"{"n":1}"#])
        try log.append(bytes: [0xFF, 0x00], type: .octetStream)
        #expect(try sql.types("SELECT _value FROM mixed") == ["_value BLOB"])
        #expect(try sql.short("SELECT n, _value FROM mixed") == #"1,"eyJuIjoxfQ==" null,"/wA=""#)
    }

    @Test("one cut spans all logs of a query")
    func join() throws {
        try sql.log("a").appendTexts([#"{"id":1,"x":"l"}"#, #"{"id":2,"x":"m"}"#])
        try sql.log("b").appendTexts([#"{"id":2,"y":5}"#])
        #expect(try sql.short("SELECT a.id, x, y FROM a JOIN b USING (id)") == #"2,"m",5"#)
        #expect(try sql.short("WITH c AS (SELECT * FROM a) SELECT count(*) FROM c, b, a AS d") == "4")
    }

    @Test("SHOW TABLES and DESCRIBE tell of logs")
    func describing() throws {
        try sql.log("a").appendTexts([#"{"id":1}"#])
        #expect(try sql.short("SHOW TABLES") == #""a""#)
        for text in ["DESCRIBE a", "SHOW a"] { #expect(try sql.short(text).hasPrefix(#""id","BIGINT""#)) }
        #expect(try sql.answer("EXPLAIN SELECT id FROM a").contains("LOG_TABLE"))
    }
}
