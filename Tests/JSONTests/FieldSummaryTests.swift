import JSON
import Testing

@Suite("Which fields rows have")
struct FieldSummaryTests {
    private let summarizer = FieldSummarizer()

    private func summary(
        _ batch: FieldBatch, rows: Range<Int>? = nil, of summary: FieldSummary = FieldSummary()
    ) throws -> FieldSummary {
        var summary = summary
        try batch.withRows(rows) { try summarizer.add($0, to: &summary) }
        return summary
    }

    private func kinds(_ text: String) throws -> FieldKinds? {
        try summary(FieldBatch([text])).fields.first?.kinds
    }

    @Test(
        "each kind of value is told",
        arguments: [
            ("null", FieldKinds.null), ("true", .boolean), ("false", .boolean), ("0", .integer),
            ("-0", .integer), ("9223372036854775807", .integer), ("-9223372036854775808", .integer),
            ("9223372036854775808", .number), ("-9223372036854775809", .number), ("-0.0", .number),
            ("1e2", .number), ("1e400", .number), ("\"\"", .string), ("\"{\\\"a\\\":1}\"", .string),
            ("{}", .nested), ("[1,{\"b\":\"}]\"}]", .nested),
            ("123456789012345678901234567890", .number),
        ])
    func kind(text: String, kind: FieldKinds) throws {
        #expect(try kinds("{\"a\":\(text)}") == kind)
        #expect(try kinds(" { \"a\" : \(text) } ") == kind)
    }

    @Test("names keep the order of their first appearance, kinds of all rows are joined")
    func order() throws {
        let batch = FieldBatch([
            #"{"b":1,"a":"x"}"#, #"{"a":null,"c":{"d":1,"e":[{}]}}"#, #"{"b":1.5,"":true}"#,
        ])
        let summary = try summary(batch)
        #expect(summary.fields.map(\.name) == ["b", "a", "c", ""])
        #expect(
            summary.fields.map(\.kinds) == [[.integer, .number], [.string, .null], .nested, .boolean])
    }

    @Test("all spellings of a name are one field, and escaped ones are decoded")
    func spellings() throws {
        let batch = FieldBatch([
            #"{"caf\u00e9":1,"\ud83d\ude00":1,"a\"b\\":1}"#, #"{"café":"x","😀":"x","\u0061\"b\\":"x"}"#,
        ])
        let summary = try summary(batch)
        #expect(summary.fields.map(\.name) == ["café", "😀", "a\"b\\"])
        #expect(summary.fields.allSatisfy { $0.kinds == [.integer, .string] })
    }

    @Test("rows of other bytes and values that are no objects are counted, and spoil nothing")
    func otherRows() throws {
        var batch = FieldBatch([#"{"a":1}"#, "12", "3", "\"x\"", "[1]", "null"])
        batch.add(Array("\"{ no quote's end \\".utf8), type: 1)
        batch.add([], type: 2)
        batch.add(Array(#"{"b":2}"#.utf8))
        let summary = try summary(batch)
        #expect(summary.fields.map(\.name) == ["a", "b"])
        #expect(summary.rowCount == 9)
        #expect(summary.rowsNotJSON == 2)
        #expect(summary.rowsNotObjects == 5)
        #expect(!summary.isAllJSON)
        #expect(try self.summary(batch, rows: 0..<6).isAllJSON)
    }

    @Test("later rows of a batch are added to an earlier summary")
    func incremental() throws {
        let texts = (0..<3000).map { row in
            let value = row % 7 == 0 ? "null" : "\"x\""
            return #"{"id":\#(row),"k\#(row / 400)":\#(value),"é\u000\#(row % 9 + 1)":[]}"#
        }
        let batch = FieldBatch(texts)
        let whole = try summary(batch)
        var parts = FieldSummary()
        for from in stride(from: 0, to: 3000, by: 170) {
            parts = try summary(batch, rows: from..<min(from + 170, 3000), of: parts)
        }
        #expect(parts == whole)
        #expect(whole.fields.count == 1 + 8 + 9)
        #expect(try summary(batch, rows: 7..<7, of: whole) == whole)
    }

    @Test("a summary has room for 1,000 names and says when there were more")
    func cap() throws {
        let names = (0..<1000).map { "{\"name \($0)\":1}" }
        let full = try summary(FieldBatch(names))
        #expect(full.fields.count == 1000)
        #expect(!full.isCut)
        let more = FieldBatch(["{\"name 1\":null,\"other\":1,\"oth\\u0065r\":2}"] + names)
        let cut = try summary(more, of: full)
        #expect(cut.fields.count == 1000)
        #expect(cut.isCut)
        #expect(cut.fields[1].kinds == [.integer, .null])
        let manyNames = (0..<20_000).map { "{\"n\($0)\":1}" }
        #expect(try summary(FieldBatch(manyNames)).fields.map(\.name) == (0..<1000).map { "n\($0)" })
    }

    @Test("no rows give an empty summary")
    func empty() throws {
        #expect(try summary(FieldBatch()) == FieldSummary())
        #expect(try summary(FieldBatch(["{\"a\":1}"]), rows: 1..<1) == FieldSummary())
        #expect(try summary(FieldBatch(["{}", "{ }"])).fields.isEmpty)
    }
}
