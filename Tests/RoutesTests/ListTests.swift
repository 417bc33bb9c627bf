import HTTP
import JSON
import StorageEngine
import Testing

@Suite("Lists of keys, and many keys at once")
struct ListTests {
    let api = API()
    let log = "/v1/logs/listed"

    private func put(_ keys: [String]) {
        for key in keys { api.call(.put, "\(log)/keys/\(key)", "\"\(key.count)\"") }
    }

    private func names(_ query: String) -> [String] {
        api.call(.get, "\(log)/keys?\(query)").json["keys"]?.arrayValue?
            .compactMap { ($0["key"] ?? $0["key_base64"])?.stringValue } ?? []
    }

    @Test("keys come in byte order over all partitions, a page at a time")
    func pages() {
        api.call(.put, log, #"{"partitions": 4, "compaction": "keys"}"#)
        put(["b", "a", "B", "ab", "c"])
        #expect(names("") == ["B", "a", "ab", "b", "c"])
        #expect(names("limit=2") == ["B", "a"])
        #expect(names("limit=2&start_after=a") == ["ab", "b"])
        #expect(names("prefix=a") == ["a", "ab"])
        #expect(names("prefix=a&start_after=a") == ["ab"])
        #expect(api.call(.get, log + "/keys?limit=2").json["has_more"] == .bool(true))
        #expect(api.call(.get, log + "/keys?limit=5").json["has_more"] == .bool(false))
        #expect(names("start_after=zz").isEmpty)
    }

    @Test("an entry says where its record is; values come when asked for")
    func entries() {
        let put = api.call(.put, log + "/keys/a?ttl_ms=50", "[1, 2]")
        #expect(
            api.call(.get, log + "/keys").text
                == #"{"keys":[{"key":"a","partition":0,"offset":0,"revision":"\#(put.revision)","expires_at":"#
                + #"\#(API.start + 50)}],"has_more":false}"# + "\n")
        #expect(api.call(.get, log + "/keys?values=true").text.contains(#""value":[1, 2]"#))
    }

    @Test("keys that are no UTF-8 are listed and asked for in base64")
    func base64() {
        put(["%FF%00", "%FFz", "plain"])
        #expect(names("prefix_base64=/w==") == ["/wA=", "/3o="])
        #expect(names("start_after_base64=/wA%3D") == ["/3o="])
        #expect(names("prefix=%FF") == ["/wA=", "/3o="])
        #expect(api.call(.get, log + "/keys?prefix=a&prefix_base64=YQ==").code == "invalid_argument")
        #expect(api.call(.get, log + "/keys?prefix_base64=%25").code == "invalid_argument")
    }

    @Test("deleted and expired keys are not listed")
    func gone() {
        put(["a", "b"])
        api.call(.put, log + "/keys/c?ttl_ms=5", "1")
        api.call(.delete, log + "/keys/a")
        api.advance(milliseconds: 5)
        #expect(names("") == ["b"])
    }

    @Test(
        "bad parameters of a list are 400",
        arguments: [
            "limit=0", "limit=1001", "limit=x", "limit=1&limit=1", "values=1", "values=", "order=desc",
            "prefix=" + String(repeating: "k", count: 1025),
        ])
    func bad(query: String) {
        put(["a"])
        #expect(api.call(.get, "\(log)/keys?\(query)").status == 400)
    }

    @Test("many keys are answered in the order asked for, missing ones too")
    func getMany() {
        let put = api.call(.put, log + "/keys/a", "1")
        api.call(.put, log + "/keys/%FF", "text")
        let answer = api.call(
            .post, log + "/keys:get", #"{"keys": ["x", "a", {"key_base64": "/w=="}, {"key": "a"}]}"#)
        #expect(answer.status == 200)
        let epoch = put.revision.split(separator: "-").last ?? ""
        let a = #"{"key":"a","found":true,"value":1,"partition":0,"offset":0,"revision":"0-0-\#(epoch)"}"#
        #expect(
            answer.json
                == .parse(
                    #"""
                    {"results": [{"key": "x", "found": false}, \#(a), {"key_base64": "/w==", "found": true,
                     "value_text": "text", "content_type": "text/plain", "partition": 0, "offset": 1,
                     "revision": "0-1-\#(epoch)"}, \#(a)]}
                    """#))
    }

    @Test(
        "bad bodies of keys:get are 400 and name the element",
        arguments: [
            (#"{}"#, "keys"), (#"{"keys": []}"#, "keys"), (#"{"keys": [1]}"#, "keys[0]"),
            (#"{"keys": ["a", ""]}"#, "keys[1]"),
            (#"{"keys": [{"key": "a", "key_base64": "YQ=="}]}"#, "keys[0].key_base64"),
            (#"{"keys": [{}]}"#, "keys[0].key"),
            (#"{"keys": [{"key": "a", "x": 1}]}"#, "keys[0].x"), (#"{"keys": "a"}"#, "keys"),
            (#"{"keys": [{"key_base64": "!"}]}"#, "keys[0].key_base64"),
            (#"{"keys": ["a"], "limit": 1}"#, "limit"),
        ])
    func badGetMany(body: String, field: String) {
        put(["a"])
        let answer = api.call(.post, log + "/keys:get", body)
        #expect(answer.status == 400)
        #expect(answer.json["field"] == .string(field))
    }

    @Test("more than a thousand keys a call are refused with the limit")
    func tooMany() {
        put(["a"])
        let keys = Array(repeating: "\"a\"", count: 1001).joined(separator: ",")
        #expect(api.call(.post, log + "/keys:get", "{\"keys\": [\(keys)]}").json["limit"] == .integer(1000))
    }

    @Test("a log of many rows is listed by a worker, with the same answer")
    func large() throws {
        put(["0"])
        let engineLog = try #require(api.engine.log(named: "listed"))
        let value = Array("1".utf8)
        for number in 1..<60_000 {
            _ = try engineLog.put(
                key: Array("\(number)".utf8).span.bytes, value: value.span.bytes, PutOptions())
        }
        #expect(names("limit=3") == ["0", "1", "10"])
        #expect(api.call(.head, log + "/keys").status == 200)
    }
}
