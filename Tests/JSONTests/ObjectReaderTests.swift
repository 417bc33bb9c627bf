import JSON
import Testing

struct ObjectReaderTests {
    private enum Colour: String, CaseIterable { case red, green }

    private func reader(_ text: String, at path: String = "") throws -> ObjectReader {
        try ObjectReader(try ControlJSON.parse(Array(text.utf8)), at: path)
    }

    private func refusal(
        _ text: String, _ read: (inout ObjectReader) throws(FieldFailure) -> Void
    ) throws -> FieldFailure? {
        var reader = try reader(text, at: "memory")
        do throws(FieldFailure) {
            try read(&reader)
            return nil
        } catch { return error }
    }

    @Test("typed fields are handed out and absent ones are nil")
    func fields() throws {
        var reader = try reader(
            #"{"n": 3, "t": "x", "b": false, "r": 1, "a": [1], "o": {"k": 1}, "c": "green"}"#)
        #expect(try reader.integer("n", in: 1...3) == 3)
        #expect(try reader.string("t") == "x")
        #expect(try reader.bool("b") == false)
        #expect(try reader.real("r", in: 0...1) == 1)
        #expect(try reader.array("a") == [.integer(1)])
        #expect(try reader.choice("c", Colour.self) == .green)
        var nested = try #require(try reader.object("o"))
        #expect(try nested.integer("k") == 1)
        #expect(nested.path == "o")
        #expect(try reader.integer("missing") == nil)
        try nested.finish()
        try reader.finish()
    }

    @Test("what nobody asked for is an unknown field")
    func unknown() throws {
        let failure = try #require(
            try refusal(#"{"a": 1, "b": 2}"#) { reader throws(FieldFailure) in
                _ = try reader.integer("a")
                try reader.finish()
            })
        #expect(failure.kind == .unknownField)
        #expect(failure.path == "memory.b")
    }

    @Test("a wrong type names the field and what is expected")
    func wrongType() throws {
        let failure = try #require(
            try refusal(#"{"n": "3"}"#) { reader throws(FieldFailure) in
                _ = try reader.integer("n")
            })
        #expect(failure.kind == .wrongType)
        #expect(failure.message == "memory.n must be an integer, not a string.")
        #expect(throws: FieldFailure.self) { try ObjectReader(.array([])) }
    }

    @Test("a number outside its range names the range")
    func range() throws {
        let failure = try #require(
            try refusal(#"{"n": 0}"#) { reader throws(FieldFailure) in
                _ = try reader.integer("n", in: 1...256)
            })
        #expect(failure.kind == .outOfRange)
        #expect(failure.message.contains("1 to 256"))
    }

    @Test("null is a value of nullable fields and a wrong type for the others")
    func nullable() throws {
        var reader = try reader(#"{"a": null, "b": "1KiB", "d": "2s", "n": null}"#)
        #expect(try reader.nullableInteger("a") == .null)
        #expect(try reader.nullableInteger("x") == .absent)
        #expect(try reader.nullableBytes("b", in: 1...2000) == .value(1024))
        #expect(try reader.nullableMilliseconds("d", in: 1...2000) == .value(2000))
        #expect(throws: FieldFailure.self) { try reader.integer("n") }
        var limit: Int64? = 5
        Presence<Int64>.absent.assign(to: &limit)
        #expect(limit == 5)
        Presence<Int64>.null.assign(to: &limit)
        #expect(limit == nil)
    }

    @Test("a key is text or base64, not both, and 1 to 1024 bytes")
    func keys() throws {
        var text = try reader(#"{"key": "é"}"#)
        #expect(try text.keyBytes() == Array("é".utf8))
        var encoded = try reader(#"{"key_base64": "AP8="}"#)
        #expect(try encoded.keyBytes() == [0, 255])
        var none = try reader("{}")
        #expect(try none.keyBytes() == nil)
        for bad in [#"{"key": "a", "key_base64": "AA=="}"#, #"{"key": ""}"#, #"{"key_base64": "A"}"#] {
            #expect(throws: FieldFailure.self) {
                var reader = try reader(bad)
                _ = try reader.keyBytes()
            }
        }
    }

    @Test("times are milliseconds or RFC 3339")
    func times() throws {
        var reader = try reader(#"{"a": 5, "b": "1970-01-01T00:00:01Z", "c": "soon"}"#)
        #expect(try reader.timestamp("a") == 5)
        #expect(try reader.timestamp("b") == 1000)
        #expect(throws: FieldFailure.self) { try reader.timestamp("c") }
    }
}
