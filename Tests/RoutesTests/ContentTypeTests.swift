import HTTP
import JSON
import Testing

@Suite("Content types of values")
struct ContentTypeTests {
    let api = API()
    let key = "/v1/logs/types/keys/a"

    @Test(
        "without a type the bytes decide",
        arguments: [
            ("{\"a\":1}", "application/json"), ("  [1, 2] \n", "application/json"),
            ("17", "application/json"),
            ("\"x\"", "application/json"), ("hello", "text/plain"), ("{\"a\":", "text/plain"),
            ("1 2", "text/plain"),
            ("", "text/plain"), ("{\"a\":1}{\"a\":2}", "text/plain"),
        ])
    func sniffed(body: String, type: String) {
        for fields in [[:], ["Content-Type": "application/x-www-form-urlencoded"]] {
            #expect(api.call(.put, key, body, fields).status < 300)
            let get = api.call(.get, key)
            #expect(get.contentType == type)
            #expect(get.text == body)
        }
    }

    @Test("bytes that are no UTF-8 are octets, quoted ones too")
    func octets() {
        for bytes: [UInt8] in [[0xFF, 0xFE], [0x22, 0xFF, 0x22]] {
            #expect(api.call(.put, key, bytes: bytes).status < 300)
            let get = api.call(.get, key)
            #expect(get.contentType == "application/octet-stream")
            #expect(get.body == bytes)
        }
    }

    @Test(
        "a named type comes back as it was sent",
        arguments: [
            "text/plain", "text/plain; charset=utf-8", "text/html;charset=UTF-8", "image/jpeg",
            "application/octet-stream",
            "application/vnd.example.v1", "text/csv; header=present", "application/x-tar",
        ])
    func named(type: String) {
        #expect(api.call(.put, key, "a,b", ["Content-Type": type]).status < 300)
        #expect(api.call(.get, key).contentType == type)
    }

    @Test(
        "JSON types are validated",
        arguments: ["application/json", "application/ld+json", "application/json;charset=utf-8"])
    func json(type: String) {
        #expect(api.call(.put, key, "[1]", ["Content-Type": type]).status < 300)
        for body in ["", "[1", "[1] [2]", "{'a':1}", "nul", "\u{FEFF}[]"] {
            let answer = api.call(.put, key, body, ["Content-Type": type])
            #expect(answer.status == 400)
            #expect(answer.code == "invalid_json")
        }
        #expect(api.call(.get, key).text == "[1]")
    }

    @Test("64 levels are JSON, 65 are too deep")
    func depth() {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(api.call(.put, key, nested(64), ["Content-Type": "application/json"]).status == 201)
        #expect(api.call(.put, key, nested(65), ["Content-Type": "application/json"]).code == "invalid_json")
    }

    @Test("numbers of any precision keep their text")
    func numbers() {
        let text = "{\"a\":123456789012345678901234567890.10,\"b\":1e400,\"c\":-0.0}"
        api.call(.put, key, text, ["Content-Type": "application/json"])
        #expect(api.call(.get, key).text == text)
    }

    @Test(
        "another charset, or what is no type, is 415",
        arguments: [
            "text/plain; charset=iso-8859-1", "application/json; charset=utf-16", "nonsense", "text/",
            "/plain",
            "text/plain; charset", "text/plain, text/html", "te xt/plain",
        ])
    func refused(type: String) {
        let answer = api.call(.put, key, "1", ["Content-Type": type])
        #expect(answer.status == 415)
        #expect(answer.code == "unsupported_media_type")
    }

    @Test("in JSON answers a value is JSON, text or base64, with its type unless it is application/json")
    func rendered() {
        let log = "/v1/logs/rendered"
        api.call(.put, log + "/keys/a", "{\"n\": 1.0}")
        api.call(.put, log + "/keys/b", "h\u{0}i")
        api.call(.put, log + "/keys/c", bytes: [0xFF, 0x00])
        api.call(.put, log + "/keys/d", "[1]", ["Content-Type": "application/ld+json"])
        api.call(.put, log + "/keys/e", bytes: [0xFF], ["Content-Type": "text/plain"])
        let text = api.call(.get, log + "/keys?values=true").text
        #expect(text.contains(#""value":{"n": 1.0}}"#))
        #expect(text.contains(#""value_text":"h\u0000i","content_type":"text/plain""#))
        #expect(text.contains(#""value_base64":"/wA=","content_type":"application/octet-stream""#))
        #expect(text.contains(#""value":[1],"content_type":"application/ld+json""#))
        #expect(text.contains(#""value_base64":"/w==","content_type":"text/plain""#))
    }
}
