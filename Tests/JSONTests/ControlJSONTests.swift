import JSON
import Testing

struct ControlJSONTests {
    private func parse(_ text: String) throws -> JSONValue { try ControlJSON.parse(Array(text.utf8)) }

    private func refusal(_ text: String) -> JSONFailure? {
        do throws(JSONFailure) {
            _ = try ControlJSON.parse(Array(text.utf8))
            return nil
        } catch { return error }
    }

    @Test("members keep the order they were sent in")
    func order() throws {
        let value = try parse(#"{"z": 1, "a": [true, null, -2.5], "m": {"k": "v"}}"#)
        #expect(
            value
                == .object([
                    .init("z", .integer(1)), .init("a", .array([.bool(true), .null, .real(-2.5)])),
                    .init("m", .object([.init("k", .string("v"))])),
                ]))
    }

    @Test("a scalar is a text, and a NUL in a string survives")
    func scalars() throws {
        #expect(try parse(" 7 ") == .integer(7))
        #expect(try parse(#""a\u0000b""#) == .string("a\0b"))
    }

    @Test("a duplicated member is refused by name")
    func duplicates() throws {
        let failure = try #require(refusal(#"{"a": 1, "a": 2}"#))
        #expect(failure.message.contains("duplicate object key"))
        #expect(failure.message.contains("a"))
        #expect(failure.position != nil)
    }

    @Test("an integer beyond 64 bits is refused and shown")
    func bigInteger() throws {
        #expect(try parse("-9223372036854775808") == .integer(.min))
        let failure = try #require(refusal(#"{"by": 9223372036854775808}"#))
        #expect(failure.message.contains("too big"))
        #expect(failure.message.contains("9223372036854775808"))
    }

    @Test("64 levels are accepted, 65 are refused before parsing")
    func depth() throws {
        _ = try parse(array(ofDepth: 64))
        #expect(try #require(refusal(array(ofDepth: 65))).message.contains("nested deeper than 64"))
        _ = try parse("\"" + String(repeating: "[", count: 200) + "\"")
    }

    @Test("more elements than the budget are refused")
    func elements() throws {
        let many = "[" + String(repeating: "1,", count: 100_000) + "1]"
        #expect(try #require(refusal(many)).message.contains("100000"))
    }

    @Test(
        "broken texts are refused with the place",
        arguments: ["", "{", "[1,]", "tru", "\"\u{1}\"", "1 2", "{a:1}"])
    func broken(text: String) throws {
        #expect(refusal(text) != nil)
    }

    @Test("invalid UTF-8 is refused")
    func badUTF8() {
        #expect(throws: JSONFailure.self) { try ControlJSON.parse([0x22, 0xFF, 0x22]) }
    }

    @Test("a NUL behind a number is refused")
    func nulOutsideOfStrings() {
        #expect(refusal("[1\0]")?.position == 2)
        #expect(refusal("1\0")?.position == 1)
    }

    @Test("what is written reads back equal")
    func roundTrip() throws {
        let value = JSONValue.object([
            .init("\"\\\n", .string("é\u{0}\u{1F}😀")),
            .init("n", .array([.integer(.min), .real(0.1), .real(1e300)])),
        ])
        #expect(try ControlJSON.parse(ControlJSON.serialize(value)) == value)
    }
}
