import HTTP
import JSON
import Testing

@Suite("Increment, touch and merge patch")
struct CounterTests {
    let api = API()
    let key = "/v1/logs/counters/keys/n"

    private func increment(_ body: String = "", query: String = "") -> CollectedResponse {
        api.call(.post, key + ":increment" + query, body)
    }

    @Test("a missing key starts at 0; no body adds 1")
    func increments() {
        let first = increment()
        #expect(first.status == 200)
        #expect(first.json["value"] == .integer(1))
        #expect(first.json["offset"] == .integer(0))
        #expect(first.json["revision"]?.stringValue == first.revision)
        #expect(increment(#"{"by": 41}"#).json["value"] == .integer(42))
        #expect(increment(#"{"by": -50}"#).json["value"] == .integer(-8))
        #expect(increment("{}").json["value"] == .integer(-7))
        let get = api.call(.get, key)
        #expect(get.text == "-7")
        #expect(get.contentType == "application/json")
    }

    @Test("a sum beyond 64 bits is 409 integer_overflow and changes nothing")
    func overflow() {
        #expect(increment(#"{"by": 9223372036854775807}"#).json["value"] == .integer(.max))
        let answer = increment()
        #expect(answer.status == 409)
        #expect(answer.code == "integer_overflow")
        #expect(api.call(.get, key).text == "9223372036854775807")
        #expect(increment(#"{"by": -9223372036854775808}"#).json["value"] == .integer(-1))
    }

    @Test(
        "only integers can be incremented",
        arguments: ["\"1\"", "1.5", "1e3", "{}", "null", "[1]"])
    func notAnInteger(value: String) {
        api.call(.put, key, value)
        let answer = increment()
        #expect(answer.status == 409)
        #expect(answer.code == "not_an_integer")
        #expect(api.call(.get, key).text == value)
    }

    @Test("the lifetime is set on creation, later only when refreshed")
    func lifetime() {
        let created = increment(#"{"ttl_ms": 1000}"#)
        #expect(created.json["expires_at"] == .integer(API.start + 1000))
        api.advance(milliseconds: 100)
        #expect(increment(#"{"ttl_ms": 5000}"#).json["expires_at"] == .integer(API.start + 1000))
        #expect(
            increment(#"{"ttl_ms": 5000, "refresh_ttl": true}"#).json["expires_at"]
                == .integer(API.start + 5100))
        api.advance(milliseconds: 5000)
        #expect(increment().json["value"] == .integer(1))
    }

    @Test(
        "bad bodies are 400 and name the field",
        arguments: [
            (#"{"by": 1.5}"#, "invalid_argument"), (#"{"by": "1"}"#, "invalid_argument"),
            (#"{"by": null}"#, "invalid_argument"), (#"{"by": 9223372036854775808}"#, "invalid_json"),
            (#"{"ttl_ms": 0}"#, "invalid_argument"), (#"{"step": 1}"#, "unknown_field"),
            ("[]", "invalid_argument"),
            (#"{"by": 1, "by": 2}"#, "invalid_json"), ("{", "invalid_json"),
            (#"{"refresh_ttl": 1}"#, "invalid_argument"),
        ])
    func badBody(body: String, code: String) {
        let answer = increment(body)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(api.call(.get, "/v1/logs/counters").status == 404)
    }

    @Test("touch moves the deadline and makes a new revision")
    func touch() {
        let put = api.call(.put, key, "\"v\"")
        let touched = api.call(.post, key + ":touch", #"{"ttl_ms": 60000}"#)
        #expect(touched.status == 200)
        #expect(touched.json["expires_at"] == .integer(API.start + 60000))
        #expect(touched.revision != put.revision)
        let get = api.call(.get, key)
        #expect(get.text == "\"v\"")
        #expect(get.field("Pyralog-Expires-At") == "\(API.start + 60000)")
        let dated = api.call(.post, key + ":touch", #"{"expires_at": "2099-01-01T00:00:00Z"}"#)
        #expect(dated.json["expires_at"] == .integer(4_070_908_800_000))
        #expect(api.call(.post, key + ":touch", #"{"expires_at": 1}"#).status == 200)
        #expect(api.call(.get, key).status == 404)
    }

    @Test(
        "touch needs one of its two fields, and a key",
        arguments: [
            "{}", #"{"ttl_ms": 1, "expires_at": 5}"#, #"{"ttl": 1}"#, "", #"{"expires_at": "soon"}"#,
            #"{"ttl_ms": null}"#,
        ])
    func badTouch(body: String) {
        api.call(.put, key, "1")
        #expect(api.call(.post, key + ":touch", body).status == 400)
        #expect(
            api.call(.post, "/v1/logs/counters/keys/none:touch", #"{"ttl_ms": 1}"#).code == "key_not_found")
    }

    @Test("a verb stands raw: an escaped colon is part of the key, and GET knows no verbs")
    func verbs() {
        #expect(api.call(.put, key + "%3Aincrement", "1").status == 201)
        #expect(api.call(.get, key + "%3Aincrement").text == "1")
        #expect(api.call(.post, key + ":reset").status == 405)
    }

    // MARK: Merge patch

    private func patch(_ body: String, _ type: String = "application/merge-patch+json") -> CollectedResponse {
        api.call(.patch, key, body, ["Content-Type": type])
    }

    @Test("a merge patch changes what it names and keeps the text of the rest")
    func patches() {
        let put = api.call(.put, key, #"{"a": 1.00, "b": {"x": 1e2, "y": 2}, "c": "é"}"#)
        let patched = patch(#"{"b": {"y": null, "z": [3]}, "d": true}"#)
        #expect(patched.status == 200)
        #expect(patched.revision != put.revision)
        let text = api.call(.get, key).text
        #expect(text.contains("1.00"))
        #expect(text.contains("1e2"))
        #expect(
            JSONValue.parse(text) == .parse(#"{"a": 1.0, "b": {"x": 100.0, "z": [3]}, "c": "é", "d": true}"#))
    }

    @Test("a patch keeps lifetime, priority and type")
    func keeps() {
        api.call(.put, key + "?ttl_ms=9000", #"{"a":1}"#, ["Content-Type": "application/ld+json"])
        #expect(patch(#"{"a":2}"#).status == 200)
        let get = api.call(.get, key)
        #expect(get.field("Pyralog-Expires-At") == "\(API.start + 9000)")
        #expect(get.contentType == "application/ld+json")
    }

    @Test("patches are refused where they cannot be applied")
    func refusedPatches() {
        #expect(patch("{}").code == "log_not_found")
        api.call(.put, key, "plain text")
        #expect(patch("{}").status == 409)
        let wrong = patch("[]", "application/json-patch+json")
        #expect(wrong.status == 415)
        #expect(wrong.field("Accept-Patch")?.contains("application/merge-patch+json") == true)
        api.call(.put, key, "{}")
        #expect(patch("{").code == "invalid_json")
        #expect(patch(#"{"a":1,"a":2}"#).code == "invalid_json")
        #expect(patch("").code == "invalid_json")
        #expect(patch("[1]").status == 200)
        #expect(api.call(.get, key).text == "[1]")
    }
}
