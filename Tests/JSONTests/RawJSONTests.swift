import JSON
import Platform
import Testing

@Suite("JSON taken apart without changing a byte")
struct RawJSONTests {
    private func raw(_ text: String) throws -> RawJSON {
        let buffer = ByteBuffer()
        buffer.append(Array(text.utf8))
        return try RawJSON(buffer, RecordParser())
    }

    private func text(_ raw: RawJSON) -> String { String(decoding: raw.bytes, as: UTF8.self) }

    @Test("members and elements keep their bytes")
    func pieces() throws {
        let root = try raw(
            " {\"a\" : [1, 2.50,{\"]\":\"}\\\"\"} , [] ] ,\"\\u0062\": \"x\\\\\",\"\":123456789012345678901234567890} \n"
        )
        let members = try #require(try root.members())
        #expect(members.map(\.name) == ["a", "b", ""])
        #expect(text(members[1].value) == "\"x\\\\\"")
        #expect(text(members[2].value) == "123456789012345678901234567890")
        #expect(
            try #require(members[0].value.elements()).map(text) == ["1", "2.50", "{\"]\":\"}\\\"\"}", "[]"])
        #expect(root.elements() == nil)
        #expect(try members[0].value.members() == nil)
        #expect(try raw("[]").elements()?.isEmpty == true)
        #expect(try raw("{ }").members()?.isEmpty == true)
        #expect(try raw(" null").isNull)
    }

    @Test(
        "what is no JSON text is refused before it is taken apart",
        arguments: [
            "", "{", "{\"a\"}", "[1,]", "{} {}", "\"\u{1}\"", "nul", String(repeating: "[", count: 70),
        ])
    func invalid(text: String) {
        #expect(throws: RecordFailure.self) { try raw(text) }
    }

    @Test("two texts are the same but for blanks between tokens")
    func same() {
        let cases: [(String, String, Bool)] = [
            ("{\"a\": 1}", "{\"a\":1}", true), (" [1 ,2]\n", "[1,2]", true), ("\"a b\"", "\"ab\"", false),
            ("\"\\\" \"", "\"\\\"\"", false), ("1", "1.0", false), ("\"\\\\\" ", "\"\\\\\"", true),
            ("[1]", "[1", false), ("\"\\n\"", "\"n\"", false),
        ]
        for (left, right, isSame) in cases {
            Array(left.utf8).withUnsafeBytes { left in
                Array(right.utf8).withUnsafeBytes { right in
                    #expect(isSameJSON(left, right) == isSame)
                    #expect(isSameJSON(right, left) == isSame)
                }
            }
        }
    }
}
