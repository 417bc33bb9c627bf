import JSON
import Platform
import Testing

struct RecordElementsTests {
    private let parser = RecordParser()

    private func refusal(_ text: String, fields: RecordFields = .none, recordsMax: Int = 100_000)
        -> RecordFailure?
    {
        let body = buffer(text)
        return failure { () throws(RecordFailure) in
            try parser.elements(of: body, fields: fields, recordsMax: recordsMax)
        }
    }

    @Test("each element keeps its bytes, without the space around it")
    func elements() throws {
        let body = buffer(" [ {\"a\" : 1.0} ,\n\"x, ]\" , [1,[2]],null,{}, -3e2 ] ")
        try parser.elements(of: body, recordsMax: 10)
        #expect(parser.values(in: body) == ["{\"a\" : 1.0}", "\"x, ]\"", "[1,[2]]", "null", "{}", "-3e2"])
    }

    @Test("an empty array has no elements")
    func empty() throws {
        try parser.elements(of: buffer("[ ]"), recordsMax: 10)
        #expect(parser.found.count == 0)
    }

    @Test(
        "the bad element is named",
        arguments: [
            ("[1, 2, tru]", 2), ("[1,,2]", 1), ("[1, 2 3]", 1), ("[{\"a\":1}, {\"a\"}]", 1),
            ("[1, \"\\q\", 2]", 1),
            ("[1, \"\u{1}\", 2]", 1), ("[\"[,,\", \"", 1), ("[1,", 1), ("[[1,2,3],[1,2", 1), ("[1,]", 1),
        ])
    func bad(text: String, index: Int) {
        let refusal = refusal(text)
        #expect(refusal?.item == index)
        #expect(refusal?.kind == .invalid)
    }

    @Test("what stands behind the array is refused")
    func trailing() {
        #expect(refusal("[1] [2]")?.message.contains("goes on") == true)
        #expect(refusal("{}")?.kind == .wrongType)
    }

    @Test("one element of 65 levels in 10,000 is named")
    func deepElement() {
        let all = (0..<10_000).map { $0 == 4242 ? array(ofDepth: 65) : array(ofDepth: 64) }
        let refusal = refusal("[" + all.joined(separator: ",") + "]")
        #expect(refusal?.kind == .tooDeep)
        #expect(refusal?.item == 4242)
        #expect(refusal?.message.contains("deeper than 64") == true)
    }

    @Test("more elements than allowed are refused")
    func tooMany() {
        #expect(refusal("[1,2,3]", recordsMax: 2)?.kind == .tooMany)
        #expect(refusal("[1,2]", recordsMax: 2) == nil)
    }

    @Test("fields are read of each element and a bad one is named")
    func fields() throws {
        let fields = RecordFields(key: Array("id".utf8))
        let body = buffer(#"[{"id":"a"},{"id":2}]"#)
        try parser.elements(of: body, fields: fields, recordsMax: 10)
        #expect(parser.keys(in: body) == ["a", "2"])
        parser.reset()
        let refusal = refusal(#"[{"id":"a"},{"id":[]}]"#, fields: fields)
        #expect(refusal?.item == 1)
        #expect(refusal?.field == "id")
    }
}
