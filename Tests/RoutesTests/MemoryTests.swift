import HTTP
import JSON
import Platform
import Routes
import StorageEngine
import Testing

@Suite("Memory and test mode over HTTP")
struct MemoryTests {
    private static func configuration(_ maxMemoryBytes: Int) -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = maxMemoryBytes
        return configuration
    }

    @Test("the ledger names limits, kinds, logs and the prefixes that take most")
    func ledger() {
        let api = API(engine: Self.configuration(64 << 20))
        for number in 0..<300 {
            let prefix = number % 10 == 0 ? "cart:" : "session:eu:"
            api.call(.put, "/v1/logs/users/keys/\(prefix)\(number)", String(repeating: "v", count: 100))
        }
        api.call(.post, "/v1/logs/small/records", "{}")
        let answer = api.call(.get, "/v1/memory?prefixes=true")
        #expect(answer.status == 200)
        #expect(answer.json["limit_bytes"] == .integer(64 << 20))
        #expect(answer.json["record_count"] == .integer(301))
        #expect(answer.json["eviction_count"] == .integer(0))
        let users = answer.json["logs"]?[0]
        #expect(users?["name"]?.stringValue == "users")
        #expect(users?["prefixes"]?[0]?["prefix"]?.stringValue?.hasPrefix("session:") == true)
        guard case .integer(let used)? = answer.json["used_bytes"],
            case .object(let kinds)? = answer.json["kinds"]
        else {
            Issue.record("\(answer.text)")
            return
        }
        let sum = kinds.reduce(Int64(0)) { sum, kind in
            if case .integer(let bytes) = kind.value { return sum + bytes }
            return sum
        }
        #expect(sum == used)
        let first = api.call(.get, "/v1/memory?limit=1")
        #expect(first.json["has_more"] == .bool(true))
        #expect(first.json["logs"]?[1] == nil)
        #expect(api.call(.get, "/v1/memory?prefix=a").code == "unknown_field")
    }

    @Test("a full log says which budget, its limit, what is used and what was needed; deletes go on")
    func full() {
        let api = API()
        api.call(.put, "/v1/logs/a", #"{"memory": {"max_bytes": "1MiB"}, "compaction": "keys"}"#)
        let value = String(repeating: "v", count: 50_000)
        var last = api.call(.put, "/v1/logs/a/keys/0", value)
        var count = 1
        while last.status == 201 {
            last = api.call(.put, "/v1/logs/a/keys/\(count)", value)
            count += 1
        }
        #expect(last.status == 507)
        #expect(last.code == "memory_full")
        #expect(last.json["budget"]?.stringValue == "a")
        #expect(last.json["limit"] == .integer(1 << 20))
        #expect(last.json["retryable"] == .bool(true))
        for member in ["used", "needed"] { #expect(last.json[member] != nil) }
        for key in 0..<8 { #expect(api.call(.delete, "/v1/logs/a/keys/\(key)").status == 204) }
        #expect(api.call(.put, "/v1/logs/a/keys/again", value).status == 201)
    }

    @Test("a body that could never fit is refused for its announced length, and nothing gives way for it")
    func couldNotFit() {
        let api = API(engine: Self.configuration(4 << 20))
        api.call(.put, "/v1/logs/a", #"{"memory": {"eviction": "lru"}, "compaction": "keys"}"#)
        for key in 0..<100 { api.call(.put, "/v1/logs/a/keys/\(key)", "value") }
        let large = [UInt8](repeating: 0x76, count: 6 << 20)
        let length = ["Content-Length": "\(large.count)"]
        for (method, path) in [
            (Method.put, "/v1/logs/a/keys/large"), (.put, "/v1/logs/new/keys/large"),
            (.post, "/v1/logs/a/records"),
        ] {
            let answer = api.call(method, path, bytes: large, length)
            #expect(answer.status == 507)
            #expect(answer.json["needed"] == .integer(6 << 20))
        }
        #expect(api.call(.get, "/v1/logs/new").status == 404)
        #expect(api.call(.get, "/v1/memory").json["eviction_count"] == .integer(0))
        #expect((0..<100).allSatisfy { api.call(.get, "/v1/logs/a/keys/\($0)").status == 200 })
    }

    @Test("eviction and tombstones can be changed in place")
    func patch() {
        let api = API()
        api.call(.put, "/v1/logs/a", "{}")
        let answer = api.call(.patch, "/v1/logs/a", #"{"tombstones": true, "memory": {"eviction": "fifo"}}"#)
        #expect(answer.status == 200)
        #expect(answer.json["config"]?["memory"]?["eviction"]?.stringValue == "fifo")
        #expect(answer.json["config"]?["tombstones"] == .bool(true))
    }

    @Test("a key that expires leaves a tombstone that says so")
    func tombstone() {
        let api = API(testMode: TestMode())
        api.call(.put, "/v1/logs/a", #"{"tombstones": true, "compaction": "keys"}"#)
        api.call(.put, "/v1/logs/a/keys/k?ttl_ms=1000", "v")
        #expect(api.call(.post, "/v1/test/clock", #"{"advance_ms": 1000}"#).status == 200)
        let records = api.call(.get, "/v1/logs/a/records").json["records"]
        #expect(records?[0]?["key"]?.stringValue == "k")
        #expect(records?[0]?["tombstone"]?.stringValue == "expired")
    }

    @Test("in test mode the clock moves for deadlines, retention and idempotency alike")
    func clock() {
        let api = API(testMode: TestMode())
        api.call(.put, "/v1/logs/a", #"{"retention": {"max_age_ms": 5000}}"#)
        api.call(.post, "/v1/logs/a/records", "1")
        let body = #"{"by": 1}"#
        for _ in 0..<2 { api.call(.post, "/v1/logs/b/keys/n:increment", body, ["Idempotency-Key": "x"]) }
        let answer = api.call(.post, "/v1/test/clock", #"{"advance_ms": "10m"}"#)
        #expect(answer.json["now"] == .integer(API.start + 600_000))
        #expect(api.call(.get, "/v1/logs/a/records").json["records"] == .array([]))
        api.call(.post, "/v1/logs/b/keys/n:increment", body, ["Idempotency-Key": "x"])
        #expect(api.call(.get, "/v1/logs/b/keys/n").text == "2")
        for wrong in ["{}", #"{"advance_ms": -1}"#, #"{"advance_ms": 1e20}"#, #"{"by": 1}"#, "x", ""] {
            #expect(api.call(.post, "/v1/test/clock", wrong).status == 400, "\(wrong)")
        }
        for _ in 0..<100 { api.call(.post, "/v1/test/clock", #"{"advance_ms": 3155760000000}"#) }
        #expect(api.call(.post, "/v1/test/clock", #"{"advance_ms": 3155760000000}"#).status == 400)
    }

    @Test("reset drops everything, sets the clock right and restores what there was at the start")
    func reset() {
        let mode = TestMode()
        let api = API(testMode: mode)
        mode.onReset { [engine = api.engine] in
            _ = try engine.createLog(named: "initial", LogConfiguration())
        }
        api.call(.put, "/v1/logs/a/keys/k", "v")
        api.call(.post, "/v1/test/clock", #"{"advance_ms": 1000}"#)
        #expect(api.call(.post, "/v1/test/reset").status == 204)
        #expect(api.clock.now() == API.start)
        #expect(api.call(.get, "/v1/logs/a").status == 404)
        #expect(api.call(.get, "/v1/logs/initial").status == 200)
    }

    @Test("outside of test mode there is nothing at its paths")
    func notThere() {
        let api = API()
        for path in ["clock", "reset"] {
            #expect(api.call(.post, "/v1/test/\(path)").code == "route_not_found")
        }
    }
}
