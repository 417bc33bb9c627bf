import JSON
import Platform
import Testing

struct RecordEnvelopesTests {
    private let parser = RecordParser()

    @Test("an envelope says all about its record")
    func full() throws {
        let body = buffer(
            """
            {"records": [
              {"key": "k\\n", "value": {"a" : 1} , "content_type": "application/json", "headers": {"t": "1"},
               "timestamp": "1970-01-01T00:00:01Z", "ttl_ms": 5, "priority": 255, "partition": 3},
              {"key_base64": "AP8=", "value_text": "h\\u00e9"},
              {"value_base64": "AAEC"},
              {"key": "gone"},
              {"key": "gone too", "value": null},
              {"value": null, "ttl_ms": null, "headers": null}
            ]}
            """)
        let envelopes = try parser.envelopes(of: body, recordsMax: 10)
        #expect(envelopes.map(\.form) == [.json, .text, .bytes, .missing, .null, .null])
        #expect(parser.string(envelopes[0].key, in: body) == "k\n")
        #expect(parser.string(envelopes[0].value, in: body) == "{\"a\" : 1}")
        #expect(parser.string(envelopes[0].contentType, in: body) == "application/json")
        #expect(parser.string(envelopes[0].headers, in: body) == "{\"t\": \"1\"}")
        #expect(envelopes[0].timestamp == 1000)
        #expect(envelopes[0].ttlMilliseconds == 5)
        #expect(envelopes[0].priority == 255)
        #expect(envelopes[0].partition == 3)
        #expect(envelopes[1].key.isScratch)
        #expect(Array(parser.found.scratch[Int(envelopes[1].key.start)...].prefix(2)) == [0, 255])
        #expect(parser.string(envelopes[1].value, in: body) == "hé")
        #expect(envelopes[2].key.isAbsent)
        #expect(envelopes[5].ttlMilliseconds == nil)
        #expect(envelopes[5].headers.isAbsent)
    }

    @Test(
        "a bad envelope is named by index and field",
        arguments: [
            (#"{"valu": 1}"#, RecordFailure.Kind.unknownField, "valu"),
            (#"{"value": 1, "value": 2}"#, .duplicateField, "value"),
            (#"{"value": 1, "value_text": "a"}"#, .conflict, "value_text"),
            (#"{"value": null, "value_base64": "AA=="}"#, .conflict, "value_base64"),
            (#"{"key": "a", "key_base64": "AA=="}"#, .conflict, "key_base64"),
            (#"{"key": 1}"#, .wrongType, "key"), (#"{"key": ""}"#, .outOfRange, "key"),
            (#"{"key_base64": "A"}"#, .wrongType, "key_base64"),
            (#"{"value_text": 1}"#, .wrongType, "value_text"),
            (#"{"value_base64": "AA"}"#, .wrongType, "value_base64"),
            (#"{"value": 1, "content_type": 1}"#, .wrongType, "content_type"),
            (#"{"value": 1, "headers": []}"#, .wrongType, "headers"),
            (#"{"value": 1, "timestamp": "x"}"#, .wrongType, "timestamp"),
            (#"{"value": 1, "ttl_ms": 0}"#, .outOfRange, "ttl_ms"),
            (#"{"value": 1, "ttl_ms": "1s"}"#, .wrongType, "ttl_ms"),
            (#"{"value": 1, "ttl_ms": 9223372036854775808}"#, .outOfRange, "ttl_ms"),
            (#"{"value": 1, "priority": 256}"#, .outOfRange, "priority"),
            (#"{"value": 1, "priority": 1.0}"#, .wrongType, "priority"),
            (#"{"value": 1, "partition": -1}"#, .outOfRange, "partition"),
            ("{}", .missing, "value"), ("7", .wrongType, "records"),
        ] as [(String, RecordFailure.Kind, String)])
    func bad(envelope: String, kind: RecordFailure.Kind, field: String) throws {
        let body = buffer(#"{"records": [{"value": 0}, \#(envelope)]}"#)
        let refusal = try #require(
            failure { () throws(RecordFailure) in _ = try parser.envelopes(of: body, recordsMax: 10) })
        #expect(refusal.kind == kind)
        #expect(refusal.field == field)
        #expect(refusal.item == 1)
    }

    @Test(
        "the body around the records is strict",
        arguments: [
            ("{}", RecordFailure.Kind.missing), ("[]", .wrongType), (#"{"records": {}}"#, .wrongType),
            (#"{"records": [], "more": 1}"#, .unknownField),
            (#"{"records": [], "records": []}"#, .duplicateField),
            (#"{"records": []} 1"#, .invalid), (#"{"records": [{"value": 1} {"value": 1}]}"#, .invalid),
            (#"{"records": [{"value": 1}"#, .invalid),
        ] as [(String, RecordFailure.Kind)])
    func around(text: String, kind: RecordFailure.Kind) {
        let body = buffer(text)
        let refusal = failure { () throws(RecordFailure) in
            _ = try parser.envelopes(of: body, recordsMax: 10)
        }
        #expect(refusal?.kind == kind)
    }

    @Test("a value of 64 levels is accepted, one of 65 names its index")
    func depth() throws {
        _ = try parser.envelopes(
            of: buffer(#"{"records":[{"value":\#(array(ofDepth: 64))}]}"#), recordsMax: 10)
        let body = buffer(#"{"records":[{"value":1},{"value":\#(array(ofDepth: 65))}]}"#)
        let refusal = failure { () throws(RecordFailure) in
            _ = try parser.envelopes(of: body, recordsMax: 10)
        }
        #expect(refusal?.kind == .tooDeep)
        #expect(refusal?.item == 1)
    }

    @Test("invalid UTF-8 names the record it lies in")
    func badUTF8() {
        let body = ByteBuffer(
            Array(#"{"records":[{"value":1},{"value":2},{"value":""#.utf8) + [0xFF] + Array("\"}]}".utf8))
        let refusal = failure { () throws(RecordFailure) in
            _ = try parser.envelopes(of: body, recordsMax: 10)
        }
        #expect(refusal?.item == 2)
    }
}
