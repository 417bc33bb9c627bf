import JSON
import Platform
import Testing

struct RecordParserTests {
    private let parser = RecordParser()

    @Test(
        "a value is located without the space around it",
        arguments: [
            ("{\"a\": 1}", RecordParser.Kind.object), (" \r\n[1, 2]\t", .array), (" \"x\" ", .string),
            ("-0.5e+7 ", .number),
            ("\ttrue", .bool), ("null\n", .null), ("{ }", .object), ("[]", .array),
            ("123456789012345678901234567890", .number), ("1e999", .number), ("\"\\ud83d\\ude00\"", .string),
        ] as [(String, RecordParser.Kind)])
    func values(text: String, kind: RecordParser.Kind) throws {
        let body = buffer(text)
        #expect(try parser.parse(body) == kind)
        #expect(parser.values(in: body) == [text.trimmed])
    }

    @Test(
        "what is not one JSON text is refused",
        arguments: [
            "", "  ", "{", "}", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}",
            "{\"a\" 1}", "nul", "nulls",
            "truefalse", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "1_0", "\"", "\"\\x\"", "\"\\u12\"",
            "\"\\ud800\"",
            "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "\"\u{1}\"", "1 2", "{} {}", "[] ]",
            "\"a\"\"b\"", "1\"a\"", "\\",
            "\u{FEFF}{}", "'a'", "[1}", "{\"a\":1]", "nan", "Infinity", ",", ":", "\"a\"1", "[\"a\"1]",
            "{\"a\":\"b\"\"c\":1}",
        ])
    func refused(text: String) {
        let body = buffer(text)
        #expect(failure { () throws(RecordFailure) in _ = try parser.parse(body) } != nil)
        #expect(!parser.isSingleText(body))
        #expect(parser.found.count == 0)
    }

    @Test(
        "invalid UTF-8 is refused with its place",
        arguments: [
            ([0x22, 0x61, 0xFF, 0x22], 2), ([0x22, 0xC0, 0x80, 0x22], 1),
            ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x22, 0xC3, 0xA9, 0xE2, 0x82, 0x22], 3),
        ] as [([UInt8], Int)])
    func badUTF8(bytes: [UInt8], position: Int) throws {
        let body = ByteBuffer(bytes)
        let refusal = try #require(failure { () throws(RecordFailure) in _ = try parser.parse(body) })
        #expect(refusal.kind == .invalid)
        #expect(refusal.position == position)
        #expect(refusal.message.contains("UTF-8"))
    }

    @Test("64 levels are accepted, 65 are refused by number")
    func depth() throws {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = open == "[" ? "" : "1"
            func nested(_ depth: Int) -> ByteBuffer {
                buffer(
                    String(repeating: open, count: depth) + inner + String(repeating: close, count: depth))
            }
            _ = try parser.parse(nested(64))
            let refusal = failure { () throws(RecordFailure) in _ = try parser.parse(nested(65)) }
            #expect(refusal?.kind == .tooDeep)
            #expect(refusal?.message.contains("deeper than 64") == true)
        }
    }

    @Test(
        "a key field gives the decoded string or the integer's text",
        arguments: [
            (#"{"id": "a"}"#, "a"), (#"{"x": {"id": 1}, "id": "\u0061\n\ud83d\ude00"}"#, "a\n😀"),
            (#"{"id":-12}"#, "-12"),
            (#"{"id": 123456789012345678901234567890 }"#, "123456789012345678901234567890"),
            (#"{"\u0069d": "escaped"}"#, "escaped"), (#"{"i": "\\", "id": "x\\"}"#, "x\\"),
        ])
    func keyField(text: String, key: String) throws {
        let body = buffer(text)
        _ = try parser.parse(body, fields: RecordFields(key: Array("id".utf8)))
        #expect(parser.keys(in: body) == [key])
    }

    @Test(
        "a key field that is no key is refused by name",
        arguments: [
            (#"{"id": 1.5}"#, RecordFailure.Kind.wrongType), (#"{"id": 1e3}"#, .wrongType),
            (#"{"id": null}"#, .wrongType),
            (#"{"id": true}"#, .wrongType), (#"{"id": {}}"#, .wrongType), (#"{"id": ""}"#, .outOfRange),
            (#"{"ID": "a"}"#, .missing), ("[1]", .missing), ("7", .missing),
            (#"{"id": 1, "id": 2}"#, .duplicateField),
        ] as [(String, RecordFailure.Kind)])
    func badKeyField(text: String, kind: RecordFailure.Kind) throws {
        let body = buffer(text)
        let refusal = try #require(
            failure { () throws(RecordFailure) in
                _ = try parser.parse(body, fields: RecordFields(key: Array("id".utf8)))
            })
        #expect(refusal.kind == kind)
        #expect(refusal.field == "id")
        #expect(refusal.message.contains("id"))
    }

    @Test("a key of 1024 bytes is accepted, one of 1025 is not")
    func keyLength() throws {
        let fields = RecordFields(key: Array("id".utf8))
        _ = try parser.parse(
            buffer("{\"id\":\"\(String(repeating: "k", count: 1024))\"}"), fields: fields)
        let long = buffer("{\"id\":\"\(String(repeating: "k", count: 1025))\"}")
        let refusal = failure { () throws(RecordFailure) in _ = try parser.parse(long, fields: fields) }
        #expect(refusal?.kind == .outOfRange)
    }

    @Test(
        "a timestamp field is milliseconds or RFC 3339",
        arguments: [
            (#"{"at": 1700000000000}"#, 1_700_000_000_000), (#"{"at": -5}"#, -5),
            (#"{"at":"1970-01-01T00:00:01Z"}"#, 1000),
        ] as [(String, Int64)])
    func timestampField(text: String, milliseconds: Int64) throws {
        _ = try parser.parse(buffer(text), fields: RecordFields(timestamp: Array("at".utf8)))
        #expect(parser.found.timestamps?.first == milliseconds)
    }

    @Test(
        "a timestamp field that is no time is refused by name",
        arguments: [
            #"{"at": 1.5}"#, #"{"at": "today"}"#, #"{"at": null}"#, "{}", #"{"at": 9223372036854775808}"#,
            #"{"at": -9223372036854775808}"#, #"{"at": 253402300800000}"#,
        ])
    func badTimestampField(text: String) throws {
        let body = buffer(text)
        let refusal = try #require(
            failure { () throws(RecordFailure) in
                _ = try parser.parse(body, fields: RecordFields(timestamp: Array("at".utf8)))
            })
        #expect(refusal.field == "at")
    }
}

extension String {
    fileprivate var trimmed: String {
        let spaces: Set<Character> = [" ", "\t", "\n", "\r", "\r\n"]
        var text = self[...]
        while let first = text.first, spaces.contains(first) { text.removeFirst() }
        while let last = text.last, spaces.contains(last) { text.removeLast() }
        return String(text)
    }
}
