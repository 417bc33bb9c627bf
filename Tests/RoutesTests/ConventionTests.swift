import HTTP
import JSON
import Testing

@Suite("Conventions of the interface")
struct ConventionTests {
    let api = API()

    static let targets: [(Method, String)] = [
        (.get, "/"), (.get, "/livez"), (.get, "/readyz"), (.get, "/metrics"), (.get, "/v1/info"),
        (.get, "/v1/config"), (.get, "/v1/logs"), (.get, "/v1/logs/a"), (.put, "/v1/logs/b"),
        (.patch, "/v1/logs/a"), (.delete, "/v1/logs/a"), (.get, "/v1/logs/a/keys/k"),
        (.put, "/v1/logs/a/keys/k"),
        (.patch, "/v1/logs/a/keys/k"), (.delete, "/v1/logs/a/keys/k"), (.post, "/v1/logs/a/keys/k:increment"),
        (.post, "/v1/logs/a/keys/k:touch"), (.get, "/v1/logs/a/keys"), (.post, "/v1/logs/a/keys:get"),
    ]

    @Test("an unknown query parameter is 400 and named, whatever the route", arguments: targets)
    func unknownParameter(method: Method, target: String) {
        api.call(.put, "/v1/logs/a/keys/k", "{}")
        for query in ["bogus=1", "bogus", "=1", "BOGUS=1"] {
            let answer = api.call(method, "\(target)?\(query)", "{}")
            #expect(answer.status == 400)
            #expect(answer.code == "unknown_field")
            #expect(
                answer.json["field"]
                    == .string(query.split(separator: "=").first.map { $0 == "1" ? "" : String($0) } ?? ""))
        }
        #expect(api.call(.get, "/v1/logs/a/keys/k").text == "{}")
        #expect(api.call(.get, "/v1/logs/b").status == 404)
    }

    @Test(
        "a query parameter given twice is 400 and named",
        arguments: [
            "/v1/logs?limit=1&limit=1", "/v1/logs/a/keys?values=true&values=false",
            "/v1/logs/a/keys/k?after=1&after=2",
        ])
    func duplicates(target: String) {
        api.call(.put, "/v1/logs/a/keys/k", "1")
        let answer = api.call(.get, target)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.json["field"] != nil)
    }

    @Test("a bad percent escape in a query is 400", arguments: ["%", "%2", "%zz", "limit=%GG"])
    func badEscape(query: String) {
        #expect(api.call(.get, "/v1/logs?\(query)").code == "invalid_argument")
    }

    @Test("a number out of range is 400 with the range")
    func range() {
        let answer = api.call(.get, "/v1/logs?limit=1001")
        #expect(answer.json["minimum"] == .integer(1))
        #expect(answer.json["maximum"] == .integer(1000))
        #expect(answer.json["detail"]?.stringValue?.contains("1 to 1000") == true)
    }

    @Test("a path that is not there is route_not_found, a method 405 with Allow")
    func notThere() {
        #expect(api.call(.get, "/v1/nothing").code == "route_not_found")
        #expect(api.call(.get, "/v2/logs").code == "route_not_found")
        let answer = api.call(.post, "/v1/logs/a/keys/k")
        #expect(answer.status == 405)
        #expect(answer.code == "method_not_allowed")
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            #expect(answer.field("Allow")?.contains(method) == true)
        }
    }

    @Test("OPTIONS answers 204 with Allow")
    func options() {
        let answer = api.call(.options, "/v1/logs/a")
        #expect(answer.status == 204)
        #expect(answer.field("Allow")?.contains("PATCH") == true)
    }

    @Test("JSON answers end in a newline and are not stored, keys are revalidated", arguments: targets)
    func newline(method: Method, target: String) {
        api.call(.put, "/v1/logs/a/keys/k", "1")
        let answer = api.call(method, target, method == .get ? "" : "{}")
        if answer.contentType?.contains("json") == true, target != "/v1/logs/a/keys/k" || method != .get {
            #expect(answer.body.last == UInt8(ascii: "\n"))
            #expect(answer.field("Cache-Control") == "no-store")
        }
    }

    @Test(
        "control bodies of another type are 415, of the form type JSON",
        arguments: [
            "/v1/logs/a/keys/k:increment", "/v1/logs/a/keys/k:touch", "/v1/logs/a/keys:get",
        ])
    func controlTypes(target: String) {
        let body = #"{"ttl_ms": 1}"#
        let refused = api.call(.post, target, body, ["Content-Type": "text/plain"])
        #expect(refused.status == 415)
        #expect(refused.code == "unsupported_media_type")
        let charset = api.call(.post, target, body, ["Content-Type": "application/json; charset=latin1"])
        #expect(charset.status == 415)
        let form = api.call(.post, target, body, ["Content-Type": "application/x-www-form-urlencoded"])
        #expect(form.status != 415)
    }

    @Test("memory that is used up is 507 with the numbers, deletes still work")
    func memoryFull() {
        let log = "/v1/logs/small"
        api.call(.put, log, #"{"compaction": "keys", "memory": {"max_bytes": 100000}}"#)
        let value = String(repeating: "x", count: 10_000)
        var answer = api.call(.put, "\(log)/keys/k0", value)
        var count = 1
        while answer.status == 201, count < 100 {
            answer = api.call(.put, "\(log)/keys/k\(count)", value)
            count += 1
        }
        #expect(answer.status == 507)
        #expect(answer.code == "memory_full")
        #expect(answer.json["limit"] == .integer(100_000))
        #expect(answer.json["used"]?.integerValue != nil)
        #expect(answer.field("Retry-After") != nil)
        #expect(api.call(.delete, "\(log)/keys/k0").status == 204)
    }
}
