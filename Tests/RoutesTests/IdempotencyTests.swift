import HTTP
import JSON
import Testing

@Suite("Idempotency keys")
struct IdempotencyTests {
    let api = API()
    let key = "/v1/logs/counters/keys/n"

    private func increment(_ idempotencyKey: String, _ body: String = "", path: String? = nil)
        -> CollectedResponse
    {
        api.call(.post, path ?? key + ":increment", body, ["Idempotency-Key": idempotencyKey])
    }

    @Test("a retry gets the first answer, field by field, and nothing happens")
    func replay() {
        let first = increment("a")
        let second = increment("a")
        #expect(second.status == first.status)
        #expect(second.body == first.body)
        #expect(second.contentType == first.contentType)
        for name in ["ETag", "Pyralog-Revision", "Pyralog-Ack", "Cache-Control"] {
            #expect(second.field(name) == first.field(name))
            #expect(first.field(name) != nil)
        }
        #expect(api.call(.get, key).text == "1")
        #expect(increment("b").json["value"] == .integer(2))
    }

    @Test("another body or query under the same key is 409")
    func mismatch() {
        _ = increment("a")
        #expect(increment("a", #"{"by": 2}"#).code == "idempotency_mismatch")
        #expect(increment("a", path: key + ":increment?ack=memory").code == "idempotency_mismatch")
        #expect(api.call(.get, key).text == "1")
    }

    @Test("the scope is the path: another key of the log is another request")
    func scope() {
        _ = increment("a")
        #expect(increment("a", path: "/v1/logs/counters/keys/m:increment").json["value"] == .integer(1))
    }

    @Test("refusals that a retry cannot change are kept")
    func keptRefusal() {
        api.call(.put, key, "\"text\"")
        #expect(increment("a").code == "not_an_integer")
        api.call(.put, key, "1")
        #expect(increment("a").code == "not_an_integer")
        #expect(increment("b").json["value"] == .integer(2))
    }

    @Test("an answer is kept for ten minutes")
    func lifetime() {
        _ = increment("a")
        api.advance(milliseconds: 599_999)
        #expect(increment("a").json["value"] == .integer(1))
        api.advance(milliseconds: 1)
        #expect(increment("a").json["value"] == .integer(2))
    }

    @Test(
        "the key has 1 to 255 visible ASCII characters",
        arguments: [
            "", " ", "a b", "é", String(repeating: "k", count: 256),
        ])
    func badKeys(idempotencyKey: String) {
        let answer = increment(idempotencyKey)
        #expect(answer.status == 400)
        #expect(answer.json["field"] == .string("Idempotency-Key"))
        #expect(increment(String(repeating: "k", count: 255)).status == 200)
    }

    @Test("touch is idempotent too")
    func touch() {
        api.call(.put, key, "1")
        let fields = ["Idempotency-Key": "t"]
        let first = api.call(.post, key + ":touch", #"{"ttl_ms": 5}"#, fields)
        let second = api.call(.post, key + ":touch", #"{"ttl_ms": 5}"#, fields)
        #expect(first.status == 200)
        #expect(first.body == second.body)
    }
}
