import JSON
import Testing

@Suite("Columns from rows' fields")
struct FieldColumnTests {
    /// Values of the member `a`, a row each.
    private func column(
        _ texts: [String], _ target: FieldColumn.Target
    ) throws -> (values: [FieldValue?], misfits: Int) {
        try FieldBatch(texts.map { "{\"x\":[\"a\"],\"a\":\($0)}" }).column("a", target)
    }

    private func texts(_ texts: String?...) -> [FieldValue?] { texts.map { $0.map(FieldValue.text) } }

    @Test("integers that fit are taken, everything else is a misfit")
    func integers() throws {
        let taken = try column(
            ["0", "-0", "7", "-12345678", "9223372036854775807", "-9223372036854775808", "null"],
            .int64(lenient: false))
        let expected: [Int64] = [0, 0, 7, -12_345_678, .max, .min]
        #expect(taken.values == expected.map(FieldValue.integer) + [nil])
        #expect(taken.misfits == 0)
        let misfits = [
            "9223372036854775808", "-9223372036854775809", "1.0", "1e2", "\"1\"", "true", "{}", "[1]",
        ]
        let refused = try column(misfits, .int64(lenient: false))
        #expect(refused.values.allSatisfy { $0 == nil })
        #expect(refused.misfits == misfits.count)
    }

    @Test(
        "numbers are rounded as the standard library rounds them",
        arguments: [
            "0", "1", "1.5", "0.1", "-2.5e+3", "12345678901234567890", "123456789.123456789e-30", "1e22",
            "1e23",
            "9007199254740993", "9007199254740993.0000000000000000000000001", "2.2250738585072011e-308",
            "5e-324", "1.7976931348623157e308",
            "0.000000000000000000000000000000000000012345678901234567890123",
            "3.141592653589793238462643383279502884197",
        ])
    func doubles(text: String) throws {
        let expected = try #require(Double(text))
        #expect(try column([text], .double(lenient: false)).values == [.double(expected)])
    }

    @Test("minus zero keeps its sign as a double")
    func minusZero() throws {
        for text in ["-0", "-0.0", "-0e5", "-1e-400"] {
            guard case .double(let value) = try column([text], .double(lenient: false)).values[0] else {
                Issue.record("\(text) is no double")
                continue
            }
            #expect(value == 0 && value.sign == .minus)
        }
    }

    @Test("a number beyond the doubles is a misfit, one too small for any is zero")
    func range() throws {
        let column = try column(
            [
                "1e400", "-1e400", "1e-400", "1\(String(repeating: "0", count: 400))",
                "0e999999999999999999999",
                "1e99999999999999999999", "1e-99999999999999999999",
            ], .double(lenient: false))
        #expect(column.values == [nil, nil, .double(0), nil, .double(0), nil, .double(0)])
        #expect(column.misfits == 4)
    }

    @Test("booleans are taken as such")
    func booleans() throws {
        let column = try column(["true", "false", "null", "0", "\"true\""], .boolean(lenient: false))
        #expect(column.values == [.boolean(true), .boolean(false), nil, nil, nil])
        #expect(column.misfits == 2)
    }

    @Test("lenient targets take strings that hold such a literal and nothing else")
    func lenient() throws {
        let texts = [
            #""12""#, #""1\u0032""#, "12", #"" 12""#, #""012""#, #""+1""#, #""""#, #""1.5""#, #""nan""#,
        ]
        let integers = try column(texts, .int64(lenient: true))
        #expect(
            integers.values == [.integer(12), .integer(12), .integer(12)] + Array(repeating: nil, count: 6))
        #expect(integers.misfits == 6)
        let doubles = try column(texts, .double(lenient: true))
        #expect(doubles.values[7] == .double(1.5))
        #expect(doubles.misfits == 5)
        let booleans = try column([#""true""#, #""false""#, #""True""#, "true"], .boolean(lenient: true))
        #expect(booleans.values == [.boolean(true), .boolean(false), nil, .boolean(true)])
    }

    @Test("texts of every length are given with their escapes decoded")
    func texts() throws {
        for count in [0, 1, 3, 4, 5, 8, 11, 12, 13, 14, 40, 300_000] {
            let plain = String(repeating: "z", count: count)
            let column = try column(["\"\(plain)\"", "\"\(plain)\\n\""], .text(anyValue: false))
            #expect(column.values == texts(plain, plain + "\n"))
        }
        let column = try column(
            [#""caf\u00e9 \ud83d\ude00 \"quoted\" \\""#, #""é 😀 and more of it""#, "\"\\u0000\""],
            .text(anyValue: false))
        #expect(column.values == texts("café 😀 \"quoted\" \\", "é 😀 and more of it", "\0"))
    }

    @Test("texts that needed no decoding have no arena, others bring their own")
    func arenas() throws {
        let batch = FieldBatch([#"{"a":"not to be decoded"}"#, #"{"a":"to be decoded\t"}"#])
        let extractor = FieldExtractor([FieldColumn("a", .text(anyValue: false))])
        #expect(try batch.columns(extractor, rows: 0..<1).extraction.arena == nil)
        let (columns, extraction) = try batch.columns(extractor, rows: 1..<2)
        #expect(columns == [texts("to be decoded\t")])
        #expect(try #require(extraction.arena).byteCount >= 14)
    }

    @Test("other values than strings are misfits as text, or give their JSON text")
    func anyAsText() throws {
        let values = ["1.50", "true", #"{"b" : "}\""}"#, "[1, 2]", "null", #""s""#]
        let strict = try column(values, .text(anyValue: false))
        #expect(strict.values == texts(nil, nil, nil, nil, nil, "s"))
        #expect(strict.misfits == 4)
        let any = try column(values, .text(anyValue: true))
        #expect(any.values == texts("1.50", "true", #"{"b" : "}\""}"#, "[1, 2]", nil, "s"))
        #expect(any.misfits == 0)
    }

    @Test("JSON columns give values as they stand")
    func json() throws {
        let values = ["1.50 ", "false", #"{"b" : "}\"]"}"#, "[1, 2]\n", "null", #""s\n""#, #""null""#]
        let column = try column(values, .json)
        #expect(
            column.values == texts("1.50", "false", #"{"b" : "}\"]"}"#, "[1, 2]", nil, #""s\n""#, #""null""#))
        #expect(column.misfits == 0)
    }

    @Test("of members of one name the last one counts")
    func duplicates() throws {
        let batch = FieldBatch([
            #"{"a":1,"a":2}"#, #"{"a":"x","a":3}"#, #"{"a":4,"\u0061":"x"}"#, #"{"a":5,"a":null}"#,
        ])
        let column = try batch.column("a", .int64(lenient: false))
        #expect(column.values == [.integer(2), .integer(3), nil, nil])
        #expect(column.misfits == 1)
    }

    @Test("rows that are no objects have no values and are no misfits")
    func otherRows() throws {
        var batch = FieldBatch()
        for row in 0..<500 {
            batch.add(Array("{\"a\":\(row)}".utf8))
            switch row % 5 {
            case 0: batch.add([], type: 2)
            case 1: batch.add([0x22, 0xFF, 0x7B, 0x5C], type: 1)
            case 2:
                batch.add(Array("12".utf8))
                batch.add(Array("3".utf8))
            case 3: batch.add(Array("\"a\"".utf8))
            default: batch.add(Array("[{\"a\":1}]".utf8))
            }
        }
        let column = try batch.column("a", .int64(lenient: false))
        #expect(column.values.compactMap { $0 } == (0..<500).map { .integer($0) })
        #expect(column.misfits == 0)
        #expect(column.values.count == 1100)
    }

    @Test("arrays begin with the first row asked for")
    func ranges() throws {
        let batch = FieldBatch((0..<5000).map { "{\"a\":\($0),\"b\":\"\($0 % 3)\"}" })
        for range in [0..<0, 5000..<5000, 4999..<5000, 1..<66, 63..<4100] {
            let column = try batch.column("a", .int64(lenient: false), rows: range)
            #expect(column.values == range.map { .integer(Int64($0)) })
        }
        #expect(try FieldBatch().column("a", .json).values.isEmpty)
    }

    @Test("names may need escapes, be empty, or come in ever new orders")
    func names() throws {
        let names = ["", "a", "café", "a\"b", "back\\slash", "a name of more than sixteen bytes"]
        let spelled = [#""""#, #""\u0061""#, #""caf\u00e9""#, #""a\"b""#, #""back\\slash""#]
        var random = SeededGenerator(state: 3)
        let batch = FieldBatch(
            (0..<200).map { _ in
                let members = zip(spelled + ["\"\(names[5])\""], 0...).map { "\($0) : \($1)" }
                return "{" + (members + ["\"back\\u005c\":9"]).shuffled(using: &random).joined(separator: ",")
                    + "}"
            })
        let extractor = FieldExtractor(names.map { FieldColumn($0, .int64(lenient: false)) })
        let columns = try batch.columns(extractor).columns
        for (index, column) in columns.enumerated() {
            #expect(column == Array(repeating: .integer(Int64(index)), count: 200))
        }
    }

    @Test("one member may go to several columns, and an extractor is used again")
    func severalColumns() throws {
        let extractor = FieldExtractor([
            FieldColumn("a", .int64(lenient: false)), FieldColumn("b", .json), FieldColumn("a", .json),
        ])
        for round in 0..<3 {
            let batch = FieldBatch(["{\"a\":\(round),\"b\":[]}", "{\"b\":null,\"a\":\"x\"}"])
            let (columns, extraction) = try batch.columns(extractor)
            #expect(
                columns == [[.integer(Int64(round)), nil], texts("[]", nil), texts("\(round)", "\"x\"")])
            #expect(extraction.misfits == [1, 0, 0])
        }
        #expect(try FieldBatch(["{}"]).columns(FieldExtractor([])).columns.isEmpty)
    }

    @Test("a value of many megabytes is read like any other")
    func large() throws {
        let long = String(repeating: "0123456789abcdef", count: 300_000)
        let batch = FieldBatch(["{\"a\":1}", "{\"n\":[\"\(long)\"],\"a\":2}", "{\"a\":3}"])
        let column = try batch.column("a", .int64(lenient: false))
        #expect(column.values == [.integer(1), .integer(2), .integer(3)])
    }

    @Test("texts that occur again and again are kept once, others stay where they are, and all read the same")
    func sharedTexts() throws {
        func batch(_ text: (Int) -> String) -> FieldBatch {
            FieldBatch((0..<5000).map { #"{"a":"\#(text($0))","b":"\#(text($0 / 2))"}"# })
        }
        func expected(_ text: (Int) -> String) -> [[FieldValue?]] {
            [(0..<5000).map { .text(text($0)) }, (0..<5000).map { .text(text($0 / 2)) }]
        }
        // Of every length there is a rule for, ends alike.
        func repeated(_ row: Int) -> String {
            let number = row % 300
            return ["short \(number)", "/products/page-\(number)"][row % 2]
                + String(repeating: "x", count: number)
        }
        func unique(_ row: Int) -> String { "a text of its own, number \(row)" }
        let extractor = FieldExtractor([FieldColumn("a", .text(anyValue: false)), FieldColumn("b", .json)])
        let both = FieldExtractor([
            FieldColumn("a", .text(anyValue: false)), FieldColumn("b", .text(anyValue: false)),
        ])
        // What the first batch was like decides for the second.
        for (text, isShared) in [(repeated, false), (repeated, true), (unique, true), (unique, false)] {
            let (columns, extraction) = try batch(text).columns(both)
            #expect(columns == expected(text))
            #expect((extraction.arena != nil) == isShared)
            #expect(try batch(text).columns(extractor).columns[0] == expected(text)[0])
        }
        let (_, extraction) = try batch(repeated).columns(both)
        #expect(extraction.arena == nil)
        let bytes = try #require(try batch(repeated).columns(both).extraction.arena?.byteCount)
        // All of them would be 1.6 MB; a few that fell in one place are there more than once.
        #expect(bytes < 250_000)
    }
}
