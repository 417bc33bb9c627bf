import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Batches of envelopes")
struct RecordsBatchTests {
    let api = API()
    let path = "/v1/logs/events/records"

    private func batch(_ records: String, _ fields: [String: String] = [:]) -> CollectedResponse {
        api.call(.post, "\(path):batch", #"{"records": [\#(records)]}"#, fields)
    }

    private func records() -> JSONValue? { api.call(.get, path).json["records"] }

    @Test("each record has what its envelope says")
    func envelopes() {
        let answer = batch(
            """
            {"key": "ada", "value": {"role" : 1}, "headers": {"t": "7f", "ü": "\\u00fc"}, "ttl_ms": 1000, "timestamp": 5},
            {"key_base64": "/wA=", "value_text": "a\\nb"}, {"value_base64": "AAEC", "content_type": "image/png", "priority": 9},
            {"value": null}, {"value_text": "<a/>", "content_type": "text/x-html"}, {"value": 1, "content_type": "application/geo+json"}
            """)
        #expect(answer.status == 201)
        #expect(answer.json["count"] == .integer(6))
        let expected = [
            #"{"offset":0,"timestamp":5,"key":"ada","value":{"role" : 1},"headers":{"t":"7f","ü":"ü"},"expires_at":1790000001000}"#,
            #"{"offset":1,"timestamp":1790000000000,"key_base64":"/wA=","value_text":"a\nb","content_type":"text/plain"}"#,
            #"{"offset":2,"timestamp":1790000000000,"value_base64":"AAEC","content_type":"image/png","priority":9}"#,
            #"{"offset":3,"timestamp":1790000000000,"value":null}"#,
            #"{"offset":4,"timestamp":1790000000000,"value_text":"<a/>","content_type":"text/x-html"}"#,
            #"{"offset":5,"timestamp":1790000000000,"value":1,"content_type":"application/geo+json"}"#,
        ]
        let lines = api.call(.get, path, "", ["Accept": "application/x-ndjson"]).text
        #expect(lines.split(separator: "\n").map(String.init) == expected)
    }

    @Test("a keyed record whose value is missing or null deletes its key")
    func deletes() {
        _ = batch(#"{"key": "a", "value": 1}, {"key": "b", "value": 1}, {"key": "c", "value": 1}"#)
        #expect(batch(#"{"key": "a"}, {"key": "b", "value": null}, {"key": "never"}"#).status == 201)
        #expect(api.call(.get, "/v1/logs/events/keys/a").code == "key_not_found")
        #expect(api.call(.get, "/v1/logs/events/keys/b").code == "key_not_found")
        #expect(api.call(.get, "/v1/logs/events/keys/c").status == 200)
        #expect(records()?[3]?["tombstone"] == .string("deleted"))
    }

    @Test(
        "one bad record is named by index and field, and nothing is applied",
        arguments: [
            (#"{"valu": 1}"#, "unknown_field", "valu"),
            (#"{"value": 1, "value_text": "a"}"#, "invalid_argument", "value_text"),
            (#"{"key": "a", "value": 1, "partition": 0}"#, "invalid_argument", "partition"),
            (#"{"value": 1, "content_type": "text/plain"}"#, "invalid_argument", "content_type"),
            (#"{"value_text": "{", "content_type": "application/json"}"#, "invalid_argument", "content_type"),
            (#"{"value": 1, "content_type": "nonsense"}"#, "invalid_argument", "content_type"),
            (
                #"{"value": 1, "content_type": "text/plain; charset=latin1"}"#, "invalid_argument",
                "content_type"
            ),
            (#"{"value": 1, "headers": {"a": 1}}"#, "invalid_argument", "headers.a"),
            (#"{"value": 1, "headers": {"a": "1", "a": "2"}}"#, "invalid_argument", "headers"),
            (#"{"value": 1, "ttl_ms": 0}"#, "invalid_argument", "ttl_ms"),
            ("{}", "invalid_argument", "value"),
        ])
    func bad(record: String, code: String, field: String) {
        let answer = batch(#"{"value": 1}, \#(record)"#)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer.json["index"] == .integer(1), "\(answer.text)")
        #expect(answer.json["field"] == .string(field), "\(answer.text)")
        #expect(api.call(.get, path).status == 404)
    }

    @Test(
        "the body must be JSON of that form",
        arguments: ["", "[]", "{}", #"{"records": {}}"#, #"{"records": [1]}"#, "x"])
    func form(body: String) {
        #expect(api.call(.post, "\(path):batch", body).status == 400)
        let text = api.call(.post, "\(path):batch", body, ["Content-Type": "text/plain"])
        #expect(text.status == 415)
    }

    @Test("records of one batch go to the partitions they name or their keys say, as one")
    func partitions() {
        api.call(.put, "/v1/logs/events", #"{"partitions": 3}"#)
        let answer = batch(
            #"{"value": 1, "partition": 2}, {"value": 2, "partition": 0}, {"key": "k", "value": 3}"#)
        #expect(answer.status == 201)
        #expect(answer.json["count"] == .integer(3))
        let outside = batch(#"{"value": 1, "partition": 0}, {"value": 1, "partition": 3}"#)
        #expect(outside.status == 400)
        #expect(api.call(.get, "\(path)?partition=0").json["records"]?[0]?["value"] == .integer(2))
    }

    @Test("a repeated batch with an idempotency key is applied once")
    func idempotency() {
        #expect(batch(#"{"value": 1}"#, ["Idempotency-Key": "k"]).status == 201)
        #expect(batch(#"{"value": 1}"#, ["Idempotency-Key": "k"]).status == 201)
        #expect(records()?.arrayValue?.count == 1)
    }
}
