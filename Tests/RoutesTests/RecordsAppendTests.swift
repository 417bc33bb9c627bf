import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Appending records")
struct RecordsAppendTests {
    let api = API()
    let path = "/v1/logs/events/records"

    private func read(_ query: String = "") -> JSONValue { api.call(.get, "\(path)?\(query)").json }

    private func values(_ query: String = "") -> [JSONValue] {
        read(query)["records"]?.arrayValue?.map { $0["value"] ?? .null } ?? []
    }

    @Test("one JSON value is one record, an array is a record for each element")
    func values() {
        let answer = api.call(.post, path, #"{"n": 1}"#)
        #expect(answer.status == 201)
        #expect(
            answer.text
                == #"{"count":1,"ranges":[{"partition":0,"start":0,"end":1}],"ack":{"requested":"memory","achieved":"memory"}}"#
                + "\n")
        #expect(answer.field("Pyralog-Ack") == "memory")
        #expect(api.call(.post, path, "[[1], 2, null]").json["ranges"]?[0]?["end"] == .integer(4))
        #expect(values() == [.parse(#"{"n":1}"#), .parse("[1]"), .integer(2), .null])
    }

    @Test("a value comes back with the bytes it was sent with")
    func byteExact() {
        let value = #"{"a" : 1.0e0,"# + "\t" + #""b":[ ], "a":123456789012345678901234567890}"#
        api.call(.post, path, "[1,\r\n \(value) ]")
        #expect(api.call(.get, path).text.contains("\"value\":\(value)}"))
    }

    @Test("a bad element is named, and nothing is applied")
    func badElement() {
        let answer = api.call(.post, path, #"[1, {"a":}, 3]"#, ["Content-Type": "application/json"])
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_json")
        #expect(answer.json["index"] == .integer(1))
        #expect(answer.json["applied"] == .string("no"))
        #expect(api.call(.get, path).code == "log_not_found")
    }

    @Test(
        "what curl -d makes of lines is told how to be sent",
        arguments: [#"{"n":1}{"n":2}"#, "hello", "{\"n\":1}\n{\"n\":2}\n"])
    func howToSend(body: String) {
        for type in [nil, "application/x-www-form-urlencoded"] {
            let answer = api.call(.post, path, body, type.map { ["Content-Type": $0] } ?? [:])
            #expect(answer.status == 400)
            #expect(answer.text.contains("--data-binary"))
            #expect(answer.text.contains("application/x-ndjson"))
        }
    }

    @Test(
        "a body without records is refused",
        arguments: [
            ("", "application/json"), ("[]", "application/json"), (" ", "application/json"),
            ("", "application/x-ndjson"),
            ("\n \n", "application/x-ndjson"), (#"{"records":[]}"#, "batch"),
        ])
    func empty(body: String, type: String) {
        let answer =
            type == "batch"
            ? api.call(.post, "\(path):batch", body) : api.call(.post, path, body, ["Content-Type": type])
        #expect(answer.status == 400)
    }

    @Test("any other type is one record of raw bytes with that type")
    func raw() {
        api.call(.post, path, bytes: [0xFF, 0x00], ["Content-Type": "image/png"])
        api.call(.post, path, "hi\r\n", ["Content-Type": "text/x-note"])
        let records = read()["records"]
        #expect(records?[0]?["value_base64"] == .string("/wA="))
        #expect(records?[0]?["content_type"] == .string("image/png"))
        #expect(records?[1]?["value_text"] == .string("hi\r\n"))
        #expect(records?[1]?["content_type"] == .string("text/x-note"))
        #expect(api.call(.post, "\(path)?key_field=a", "x", ["Content-Type": "text/plain"]).status == 400)
    }

    @Test("a JSON type of its own is kept with each record")
    func jsonType() {
        api.call(.post, path, "[1,2]", ["Content-Type": "application/geo+json"])
        #expect(read()["records"]?[1]?["content_type"] == .string("application/geo+json"))
        #expect(read()["records"]?[1]?["value"] == .integer(2))
    }

    @Test("a key in the query makes the record readable by key, percent-encoded or base64")
    func key() {
        #expect(api.call(.post, "\(path)?key=a%2Fb", "1").status == 201)
        #expect(api.call(.get, "/v1/logs/events/keys/a%2Fb").text == "1")
        #expect(api.call(.post, "\(path)?key_base64=%2FwA%3D", "2").status == 201)
        #expect(api.call(.get, "/v1/logs/events/keys/%FF%00").text == "2")
        #expect(api.call(.get, "/v1/logs/events").json["config"]?["compaction"] == .string("keys"))
    }

    @Test("keys and times come out of fields")
    func fields() {
        let body = #"[{"id":"a","at":5},{"id":17,"at":"1970-01-01T00:00:01Z"},{"id":"\u0061","at":7}]"#
        #expect(api.call(.post, "\(path)?key_field=id&timestamp_field=at", body).status == 201)
        #expect(api.call(.get, "/v1/logs/events/keys/a").json["at"] == .integer(7))
        #expect(api.call(.get, "/v1/logs/events/keys/17").status == 200)
        #expect(read()["records"]?[1]?["timestamp"] == .integer(1000))
        let missing = api.call(.post, "\(path)?key_field=id", #"[{"id":1},{}]"#)
        #expect(missing.json["index"] == .integer(1))
        #expect(missing.json["field"] == .string("id"))
    }

    @Test("ttl, priority and time of the query hold for all records")
    func common() {
        api.call(.post, "\(path)?ttl_ms=1000&priority=7&timestamp=2026-01-01T00:00:00Z", "[1,2]")
        let record = read()["records"]?[1]
        #expect(record?["priority"] == .integer(7))
        #expect(record?["expires_at"] == .integer(API.start + 1000))
        #expect(record?["timestamp"] == .integer(1_767_225_600_000))
        api.advance(milliseconds: 1000)
        #expect(read()["records"]?.arrayValue?.isEmpty == true)
        #expect(read()["tail"] == .integer(2))
    }

    @Test(
        "what contradicts itself is refused",
        arguments: [
            "key=a&key_field=b", "key=a&key_base64=YQ%3D%3D", "key=a&partition=0", "key_field=a&partition=0",
            "timestamp=1&timestamp_field=a", "priority=256", "priority=-1", "ttl_ms=0", "partition=256",
            "match_offset=-1",
            "atomic=no", "key=", "bogus=1", "key=a&key=b", "key_field=", "ack=maybe", "atomic=false",
            "timestamp=soon",
        ])
    func contradictions(query: String) {
        let answer = api.call(.post, "\(path)?\(query)", "1")
        #expect(answer.status == 400, "\(answer.text)")
        #expect(api.call(.get, path).status == 404)
    }

    @Test("a key is for one record only")
    func keyOfMany() {
        #expect(api.call(.post, "\(path)?key=a", "[1,2]").status == 400)
        #expect(api.call(.post, "\(path)?key=a", "[1]").status == 201)
    }

    @Test("match_offset appends only at that tail and says what the tail is")
    func matchOffset() {
        #expect(api.call(.post, "\(path)?match_offset=0", "1").status == 201)
        let answer = api.call(.post, "\(path)?match_offset=0", "2")
        #expect(answer.status == 412)
        #expect(answer.code == "offset_mismatch")
        #expect(answer.json["tail"] == .integer(1))
        api.call(.put, "/v1/logs/wide", #"{"partitions": 2}"#)
        #expect(api.call(.post, "/v1/logs/wide/records?match_offset=0", "1").status == 400)
        #expect(api.call(.post, "/v1/logs/wide/records?match_offset=0&partition=1", "1").status == 201)
        #expect(api.call(.post, "/v1/logs/wide/records?partition=2", "1").status == 400)
    }

    @Test("a producer's repeated call is answered with the first ranges, a gap and an old epoch are refused")
    func producers() {
        func call(_ epoch: Int, _ sequence: Int) -> CollectedResponse {
            api.call(
                .post, path, "[1,2]",
                ["Producer-Id": "p", "Producer-Epoch": "\(epoch)", "Producer-Seq": "\(sequence)"])
        }
        #expect(call(0, 0).status == 201)
        #expect(call(0, 1).status == 201)
        let again = call(0, 0)
        #expect(again.status == 200)
        #expect(again.json["ranges"]?[0]?["end"] == .integer(2))
        #expect(call(0, 3).code == "producer_gap")
        #expect(call(0, 3).json["expected_seq"] == .integer(2))
        #expect(call(1, 0).status == 201)
        #expect(call(0, 2).code == "producer_fenced")
        #expect(read()["tail"] == .integer(6))
        #expect(api.call(.post, path, "1", ["Producer-Id": "p"]).status == 400)
        let odd = ["Producer-Id": "p", "Producer-Epoch": "-1", "Producer-Seq": "0"]
        #expect(api.call(.post, path, "1", odd).status == 400)
    }

    @Test(
        "an idempotency key replays the first answer",
        arguments: ["application/json", "application/x-ndjson"])
    func idempotency(type: String) {
        let fields = ["Idempotency-Key": "k", "Content-Type": type]
        let first = api.call(.post, path, "1", fields)
        #expect(first.status == 201)
        #expect(api.call(.post, path, "1", fields).text == first.text)
        #expect(api.call(.post, path, "2", fields).code == "idempotency_mismatch")
        #expect(read()["tail"] == .integer(1))
    }

    @Test("a log that may not be created by writing is 404, before the body")
    func noAutomaticLog() {
        let api = API(createsLogs: false)
        #expect(api.call(.post, path, "1").code == "log_not_found")
        #expect(
            api.call(.post, path, "1\n", ["Content-Type": "application/x-ndjson"]).code == "log_not_found")
    }

    @Test("an array beyond the limit is 413, a single value of that size is not")
    func limits() {
        var limits = RouteLimits()
        limits.batchBytesMax = 100
        limits.valueBytesMax = 1000
        let api = API(limits: limits)
        let long = "\"" + String(repeating: "x", count: 200) + "\""
        #expect(api.call(.post, path, long).status == 201)
        #expect(api.call(.post, path, "[\(long)]").json["limit"] == .integer(100))
        #expect(api.call(.post, path, "[\(long)]").status == 413)
        #expect(api.call(.post, path, String(repeating: " ", count: 2000)).status == 413)
        #expect(api.call(.post, "\(path):batch", #"{"records":[{"value":\#(long)}]}"#).status == 413)
    }

    @Test("unkeyed records go round robin by call, keyed ones by their key")
    func partitions() {
        api.call(.put, "/v1/logs/events", #"{"partitions": 4}"#)
        let partitions = (0..<8).map { _ in api.call(.post, path, "[1,2]").json["ranges"]?[0]?["partition"] }
        #expect(Set(partitions.compactMap { $0?.integerValue }) == [0, 1, 2, 3])
        let keyed = (0..<3).map { _ in api.call(.post, "\(path)?key=k", "1").json["ranges"]?[0]?["partition"]
        }
        #expect(Set(keyed.compactMap { $0?.integerValue }).count == 1)
    }
}
