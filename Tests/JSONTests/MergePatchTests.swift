import JSON
import Platform
import Testing

struct MergePatchTests {
    private let parser = RecordParser()

    private func merge(_ target: String, _ patch: String) throws -> String {
        let target = buffer(target)
        let patch = buffer(patch)
        return String(
            decoding: try MergePatch.apply(target: target, patch: patch, using: parser),
            as: UTF8.self)
    }

    @Test(
        "the examples of RFC 7396 give their results",
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#),
            (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"["a","b"]"#, #"["c","d"]"#, #"["c","d"]"#),
            (#"{"a":"b"}"#, #"["c"]"#, #"["c"]"#), (#"{"a":"foo"}"#, "null", "null"),
            (#"{"a":"foo"}"#, #""bar""#, #""bar""#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#),
            ("[1,2]", #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func examples(target: String, patch: String, result: String) throws {
        #expect(try merge(target, patch) == result)
    }

    @Test("members that are not named keep their bytes and order, space included")
    func bytes() throws {
        #expect(
            try merge(
                "{ \"z\" : 1.00 ,\n \"a\": {\"x\":1e2, \"y\":\t2} , \"m\":[ ] }", #"{"a": {"y": 3, "n": 4}}"#)
                == "{ \"z\" : 1.00 ,\n \"a\": {\"x\":1e2, \"y\":\t3,\"n\": 4} , \"m\":[ ] }")
    }

    @Test("names are compared decoded")
    func escapedNames() throws {
        #expect(try merge(#"{"\u0061":1}"#, #"{"a":2}"#) == #"{"\u0061":2}"#)
    }

    @Test("a patch that names a member twice is refused")
    func duplicate() throws {
        let refusal = failure { () throws(RecordFailure) in
            _ = try MergePatch.apply(
                target: buffer("{}"), patch: buffer(#"{"a":{"b":1,"b":2}}"#), using: parser)
        }
        #expect(refusal?.kind == .duplicateField)
        #expect(refusal?.field == "b")
        #expect(refusal?.item == 1)
    }

    @Test("a broken target and a broken patch are told apart")
    func blame() {
        for (target, patch, item) in [("{", "{}", 0), ("{}", "{", 1), ("{}", array(ofDepth: 65), 1)] {
            let refusal = failure { () throws(RecordFailure) in
                _ = try MergePatch.apply(
                    target: buffer(target), patch: buffer(patch), using: parser)
            }
            #expect(refusal?.item == item)
        }
    }

    @Test("a merged text is as deep as the deeper of the two, and valid")
    func depth() throws {
        func nested(_ leaf: String) -> String {
            String(repeating: "{\"a\":", count: 64) + leaf + String(repeating: "}", count: 64)
        }
        let merged = try merge(nested("1"), nested("2"))
        #expect(merged == nested("2"))
        #expect(parser.isSingleText(buffer(merged)))
    }

    @Test("a large patch of a large target takes no quadratic time")
    func large() throws {
        let target = "{" + (0..<50_000).map { "\"a\($0)\":1" }.joined(separator: ",") + "}"
        let patch = "{" + (0..<50_000).map { "\"a\(49_999 - $0)\":null" }.joined(separator: ",") + "}"
        #expect(try merge(target, patch) == "{}")
    }
}
