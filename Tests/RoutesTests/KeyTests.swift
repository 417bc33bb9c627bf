import HTTP
import JSON
import Routes
import Testing

@Suite("Keys")
struct KeyTests {
    let api = API()
    let key = "/v1/logs/cache/keys/a"

    @Test("a value comes back byte for byte with its revision, type and time")
    func roundTrip() {
        let put = api.call(.put, key, #"{ "n" : 1.00 }"#, ["Content-Type": "application/json"])
        #expect(put.status == 201)
        #expect(put.contentType == "application/json")
        #expect(put.entityTag == "\"\(put.revision)\"")
        #expect(put.field("Pyralog-Ack") == "memory")
        #expect(put.field("Cache-Control") == "no-store")
        #expect(put.json["revision"]?.stringValue == put.revision)
        #expect(put.json["partition"] == .integer(0))
        #expect(put.json["offset"] == .integer(0))
        #expect(put.json["ack"] == .parse(#"{"requested": "memory", "achieved": "memory"}"#))
        #expect(put.text.hasSuffix("}\n"))

        let get = api.call(.get, key)
        #expect(get.status == 200)
        #expect(get.text == #"{ "n" : 1.00 }"#)
        #expect(get.contentType == "application/json")
        #expect(get.entityTag == put.entityTag)
        #expect(get.field("Last-Modified") == "Mon, 21 Sep 2026 14:13:20 GMT")
        #expect(get.field("Cache-Control") == "no-cache")
        #expect(get.field("Pyralog-Expires-At") == nil)
    }

    @Test("HEAD answers what GET answers, without the value")
    func head() {
        api.call(.put, key, "hello")
        let head = api.call(.head, key)
        #expect(head.status == 200)
        #expect(head.body.isEmpty)
        #expect(head.entityTag == api.call(.get, key).entityTag)
    }

    @Test("a second put replaces: 200 and another revision")
    func replace() {
        let first = api.call(.put, key, "1")
        let second = api.call(.put, key, "2")
        #expect(first.status == 201)
        #expect(second.status == 200)
        #expect(first.revision != second.revision)
        #expect(api.call(.get, key).text == "2")
    }

    @Test("delete is 204 with its revision, then 404")
    func delete() {
        api.call(.put, key, "1")
        let deleted = api.call(.delete, key)
        #expect(deleted.status == 204)
        #expect(deleted.body.isEmpty)
        #expect(deleted.revision.hasPrefix("0-1-"))
        #expect(api.call(.get, key).code == "key_not_found")
        let again = api.call(.delete, key)
        #expect(again.status == 404)
        #expect(again.code == "key_not_found")
    }

    @Test(
        "keys are bytes: slashes, NUL, colons, invalid UTF-8, emoji stay apart",
        arguments: [
            "%2F", "%00", "%3A", "%FF", "%C3%A9", "e%CC%81", "%F0%9F%98%80", "%2E%2E", "a%2Fb:c", "%EF%BF%BD",
            "+", "%20",
        ])
    func anyBytes(encoded: String) {
        #expect(api.call(.put, "/v1/logs/cache/keys/\(encoded)", "it").status == 201)
        #expect(api.call(.get, "/v1/logs/cache/keys/\(encoded)").text == "it")
        #expect(api.call(.get, "/v1/logs/cache/keys?limit=1000").json["keys"]?.arrayValue?.count == 1)
    }

    @Test("a key has 1 to 1024 bytes")
    func keyLength() {
        let longest = String(repeating: "k", count: 1024)
        #expect(api.call(.put, "/v1/logs/cache/keys/\(longest)", "1").status == 201)
        let tooLong = api.call(.put, "/v1/logs/cache/keys/\(longest)k", "1")
        #expect(tooLong.status == 400)
        #expect(tooLong.json["limit"] == .integer(1024))
        #expect(api.call(.get, "/v1/logs/cache/keys/").status == 404)
    }

    @Test("reading a log that does not exist is 404 log_not_found, writing creates it for keys")
    func creation() {
        #expect(api.call(.get, key).code == "log_not_found")
        #expect(api.call(.delete, key).code == "log_not_found")
        api.call(.put, key, "1")
        #expect(api.call(.get, "/v1/logs/cache").json["config"]?["compaction"] == .string("keys"))
    }

    @Test("without auto_create a write to a missing log is 404")
    func noCreation() {
        let api = API(createsLogs: false)
        #expect(api.call(.put, key, "1").code == "log_not_found")
        #expect(api.call(.post, key + ":increment").code == "log_not_found")
    }

    @Test("a value over the limit is 413 and names the limit")
    func tooLarge() {
        var limits = RouteLimits()
        limits.valueBytesMax = 10
        let api = API(limits: limits)
        let answer = api.call(.put, key, "12345678901")
        #expect(answer.status == 413)
        #expect(answer.code == "payload_too_large")
        #expect(answer.json["limit"] == .integer(10))
    }

    @Test("a part of a value is not taken for the whole")
    func contentRange() {
        api.call(.put, key, "12345")
        #expect(api.call(.put, key, "67890", ["Content-Range": "bytes 5-9/10"]).status == 400)
        #expect(api.call(.get, key).text == "12345")
    }

    // MARK: Lifetime

    @Test("a key is gone the instant its deadline passes, and says before when that is")
    func deadline() {
        api.call(.put, key + "?ttl_ms=1000", "1")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == "\(API.start + 1000)")
        api.advance(milliseconds: 999)
        #expect(api.call(.get, key).status == 200)
        api.advance(milliseconds: 1)
        #expect(api.call(.get, key).code == "key_not_found")
    }

    @Test("expires_at takes milliseconds and RFC 3339")
    func expiresAt() {
        api.call(.put, key + "?expires_at=\(API.start + 5)", "1")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == "\(API.start + 5)")
        api.call(.put, key + "?expires_at=2030-01-01T00:00:00Z", "1")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == "1893456000000")
    }

    @Test("a put without a lifetime takes the log's, ttl=keep the key's, ttl=none no end")
    func lifetimes() {
        api.call(.put, "/v1/logs/cache", #"{"ttl_ms": 5000, "compaction": "keys"}"#)
        api.call(.put, key, "1")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == "\(API.start + 5000)")
        api.call(.put, key + "?ttl_ms=7000", "1")
        api.call(.put, key + "?ttl=keep", "2")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == "\(API.start + 7000)")
        api.call(.put, key + "?ttl=none", "3")
        #expect(api.call(.get, key).field("Pyralog-Expires-At") == nil)
    }

    @Test(
        "a lifetime out of range, or two of them, are 400 and named",
        arguments: [
            ("ttl_ms=0", "ttl_ms"), ("ttl_ms=-1", "ttl_ms"), ("ttl_ms=99999999999999999999", "ttl_ms"),
            ("ttl_ms=1.5", "ttl_ms"), ("ttl_ms=%2B5", "ttl_ms"), ("ttl_ms=", "ttl_ms"),
            ("ttl=forever", "ttl"),
            ("expires_at=tomorrow", "expires_at"), ("ttl_ms=1&ttl=keep", "ttl"), ("priority=256", "priority"),
            ("priority=-1", "priority"), ("ack=tape", "ack"),
        ])
    func badLifetime(query: String, field: String) {
        let answer = api.call(.put, "\(key)?\(query)", "1")
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.json["field"] == .string(field))
    }

    @Test(
        "an acknowledgement that the log cannot give is 400 ack_unavailable", arguments: ["disk", "quorum"])
    func acknowledgement(level: String) {
        let answer = api.call(.put, "\(key)?ack=\(level)", "1")
        #expect(answer.status == 400)
        #expect(answer.code == "ack_unavailable")
        #expect(api.call(.put, "\(key)?ack=memory", "1").status == 201)
    }
}
