import Metrics
import StorageEngine
import Support
import Testing

@testable import SQL

@Suite("Declared types")
struct DeclaredTypeTests {
    let sql = SQLHarness()

    private func log(_ fields: [(String, String)]) throws -> Log {
        try sql.log("rows") { $0.schema = fields.map { .init(name: $0.0, type: $0.1) } }
    }

    @Test("values come in the declared type, exactly")
    func values() throws {
        try log([
            ("d", "DECIMAL(18,4)"), ("t", "DATE"), ("i", "smallint"), ("s", "VARCHAR"),
            ("seen", "TIMESTAMPTZ"),
        ])
        .appendTexts([#"{"d":12.5,"t":"2026-11-24","i":7,"s":42,"seen":"2026-11-24T12:00:00+01:00"}"#])
        #expect(
            try sql.answer("SELECT d, t, i, s, seen FROM rows").contains(
                #"[[12.5000,"2026-11-24",7,"42","2026-11-24T11:00:00Z"]]"#))
        #expect(try sql.types("SELECT d, i FROM rows") == ["d DECIMAL(18,4)", "i SMALLINT"])
    }

    @Test("what does not fit is NULL, and counted")
    func misfits() throws {
        try log([("i", "TINYINT"), ("t", "DATE"), ("f", "FLOAT")]).appendTexts([
            #"{"i":1000,"t":"no date","f":1e300}"#, #"{"i":"5","t":null,"f":0.5}"#,
        ])
        #expect(try sql.short("SELECT i, t, f FROM rows") == "null,null,null 5,null,0.5")
        let text = String(decoding: sql.metrics.render(.prometheusText), as: UTF8.self)
        #expect(text.contains("pyralog_sql_misfits_total 3"))
    }

    @Test("declared fields are there before any record is")
    func empty() throws {
        _ = try log([("a", "BIGINT")])
        #expect(try sql.short("SELECT count(*), sum(a) FROM rows") == "0,null")
    }

    @Test(
        "a scalar type of DuckDB's is known by any of its names",
        arguments: [
            "bigint", "NUMERIC(10)", "decimal ( 5 , 2 )", "double precision", "Timestamp with time zone",
            "uuid", "JSON",
        ])
    func known(name: String) { #expect(FieldType(declared: name) != nil) }

    @Test(
        "anything else is not",
        arguments: [
            "INT[]", "STRUCT(a INT)", "DECIMAL(39,2)", "DECIMAL(5,6)", "BIGINT; DROP TABLE x", "",
            "ENUM('a')",
        ])
    func unknown(name: String) { #expect(FieldType(declared: name) == nil) }

    @Test("long columns of text are cast chunk by chunk")
    func manyRows() throws {
        let log = try log([("d", "DECIMAL(10,2)"), ("b", "BLOB")])
        for start in stride(from: 0, to: 9000, by: 1000) {
            try log.appendTexts(
                (start..<start + 1000).map { #"{"d":"\#($0).25","b":"a longer text number \#($0)"}"# })
        }
        #expect(
            try sql.short(
                "SELECT count(*), sum(d)::VARCHAR, count(DISTINCT b), max(octet_length(b)) FROM rows")
                == #"9000,"40497750.00",9000,25"#)
    }
}
