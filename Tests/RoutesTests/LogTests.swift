import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Logs")
struct LogTests {
    let api = API()
    let log = "/v1/logs/events"

    @Test("a log is created with its path, found equal, and refused when it differs")
    func create() {
        let created = api.call(.put, log, #"{"partitions": 3, "ttl_ms": "1h"}"#)
        #expect(created.status == 201)
        #expect(created.field("Location") == log)
        #expect(created.json["config"]?["ttl_ms"] == .integer(3_600_000))
        #expect(api.call(.put, log).status == 200)
        #expect(api.call(.put, log, "{}").status == 200)
        #expect(api.call(.put, log, #"{"partitions": 3}"#).status == 200)
        #expect(api.call(.put, log, #"{"memory": {"max_bytes": null}}"#).status == 200)
        let differs = api.call(.put, log, #"{"partitions": 4, "memory": {"max_bytes": "1MB"}}"#)
        #expect(differs.status == 409)
        #expect(differs.code == "log_exists")
        #expect(differs.json["differences"] == .array([.string("partitions"), .string("memory.max_bytes")]))
    }

    @Test("the whole configuration is shown, with every default")
    func defaults() {
        api.call(.put, log)
        let shown = api.call(.get, log)
        #expect(shown.json["name"] == .string("events"))
        #expect(
            shown.json["config"]
                == .parse(
                    #"""
                    {"mode": "memory", "partitions": 1, "ttl_ms": null, "compaction": "none", "tombstones": false,
                     "retention": {"max_bytes": null, "max_age_ms": null, "max_records": null},
                     "memory": {"max_bytes": null, "eviction": "reject", "watermark": 0.9},
                     "durability": {"ack": "memory", "fsync": "always", "fsync_interval_ms": 10},
                     "hybrid": {"memory_ttl_ms": 3600000, "disk_after_ms": 3600000, "local_disk": true,
                                "disk_fallback": true, "s3_archive": null, "s3_after_ms": null},
                     "replication": {"factor": 1, "write_quorum": 1}, "schema": {}, "verification": "none"}
                    """#))
        #expect(shown.json["epoch"]?.stringValue?.count == 8)
        // What is shown can be sent.
        let config = shown.text.split(separator: #""config":"#)[1].split(separator: #","stats""#)[0]
        #expect(api.call(.put, log, String(config)).status == 200)
    }

    @Test("statistics say what each partition holds")
    func statistics() {
        api.call(.put, log, #"{"partitions": 2, "compaction": "keys"}"#)
        api.call(.put, log + "/keys/a", "1")
        api.call(.put, log + "/keys/a", "2")
        let partitions = api.call(.get, log).json["stats"]?["partitions"]?.arrayValue ?? []
        #expect(partitions.count == 2)
        let tails = partitions.compactMap { $0["tail"]?.integerValue }
        #expect(tails.sorted() == [0, 2])
        #expect(partitions.compactMap { $0["live_records"]?.integerValue }.reduce(0, +) == 1)
        #expect(partitions.allSatisfy { $0["bytes"]?["disk"] == .integer(0) })
    }

    @Test(
        "sizes and durations may carry units",
        arguments: [
            (#"{"ttl_ms": "250ms"}"#, "ttl_ms", 250), (#"{"ttl_ms": "7d"}"#, "ttl_ms", 604_800_000),
            (#"{"retention": {"max_bytes": "4GB"}}"#, "retention.max_bytes", 4_000_000_000),
            (#"{"retention": {"max_age_ms": "5m"}}"#, "retention.max_age_ms", 300_000),
            (#"{"memory": {"max_bytes": "512MiB"}}"#, "memory.max_bytes", 536_870_912),
            (#"{"memory": {"max_bytes": 4096}}"#, "memory.max_bytes", 4096),
        ])
    func units(body: String, path: String, value: Int64) {
        let created = api.call(.put, log, body)
        #expect(created.status == 201)
        let found = path.split(separator: ".").reduce(created.json["config"]) { $0?[String($1)] }
        #expect(found == .integer(value))
    }

    @Test(
        "what is unknown, of another kind or out of range is 400 and named by its path",
        arguments: [
            (#"{"partition": 1}"#, "partition", "unknown_field"),
            (#"{"memory": {"max": 1}}"#, "memory.max", "unknown_field"),
            (#"{"partitions": 0}"#, "partitions", "invalid_argument"),
            (#"{"partitions": 257}"#, "partitions", "invalid_argument"),
            (#"{"partitions": "3"}"#, "partitions", "invalid_argument"),
            (#"{"partitions": null}"#, "partitions", "invalid_argument"),
            (#"{"ttl_ms": 0}"#, "ttl_ms", "invalid_argument"),
            (#"{"ttl_ms": "soon"}"#, "ttl_ms", "invalid_argument"),
            (#"{"mode": "fast"}"#, "mode", "invalid_argument"),
            (#"{"memory": {"watermark": 1.5}}"#, "memory.watermark", "invalid_argument"),
            (#"{"memory": {"watermark": 0}}"#, "memory.watermark", "invalid_argument"),
            (#"{"memory": 5}"#, "memory", "invalid_argument"),
            (#"{"retention": {"max_records": -1}}"#, "retention.max_records", "invalid_argument"),
            (#"{"retention": {"max_bytes": "99999999TB"}}"#, "retention.max_bytes", "invalid_argument"),
            (#"{"schema": {"a": 1}}"#, "schema.a", "invalid_argument"),
        ])
    func refused(body: String, field: String, code: String) {
        let answer = api.call(.put, log, body)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(answer.json["field"] == .string(field))
        #expect(api.call(.get, log).status == 404)
    }

    @Test(
        "bodies that are no object of JSON are refused",
        arguments: [
            ("[]", "invalid_argument"), ("{", "invalid_json"),
            (#"{"partitions": 1, "partitions": 2}"#, "invalid_json"),
            ("null", "invalid_argument"), ("{} {}", "invalid_json"),
        ])
    func badBodies(body: String, code: String) {
        let answer = api.call(.put, log, body)
        #expect(answer.status == 400)
        #expect(answer.code == code)
        #expect(api.call(.put, log, "mode: memory", ["Content-Type": "application/yaml"]).status == 415)
    }

    @Test("a mode that needs a disk is refused on a server without a data directory, and the flag is named")
    func noDataDirectory() {
        let answer = api.call(.put, log, #"{"mode": "persistent"}"#)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.json["detail"]?.stringValue?.contains("--data-dir") == true)
    }

    @Test(
        "documented features that are not built yet are 501 and named",
        arguments: [
            (#"{"replication": {"factor": 3}}"#, "replication"),
            (#"{"verification": "merkle"}"#, "verification"),
        ])
    func notImplemented(body: String, feature: String) {
        let answer = api.call(.put, log, body)
        #expect(answer.status == 501)
        #expect(answer.code == "not_implemented")
        #expect(answer.json["feature"]?.stringValue?.contains(feature) == true)
        api.call(.put, log)
        #expect(api.call(.patch, log, body).status == 501)
        #expect(api.call(.put, log, body).status == 501)
    }

    @Test(
        "names are strict",
        arguments: [
            "-a", ".a", "a%20b", "a%2Fb", "%C3%A9", "a:b", "%E2%84%AA", String(repeating: "n", count: 129),
        ])
    func names(name: String) {
        let answer = api.call(.put, "/v1/logs/\(name)")
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(api.call(.get, "/v1/logs/\(name)/keys/a").status == 400)
    }

    @Test("a patch alters what can be altered, and null goes back to the default")
    func patch() {
        api.call(.put, log, #"{"retention": {"max_records": 10, "max_bytes": 5000}}"#)
        let patched = api.call(.patch, log, #"{"ttl_ms": 60000, "retention": {"max_records": null}}"#)
        #expect(patched.status == 200)
        let config = api.call(.get, log).json["config"]
        #expect(config?["ttl_ms"] == .integer(60000))
        #expect(config?["retention"]?["max_records"] == .null)
        #expect(config?["retention"]?["max_bytes"] == .integer(5000))
        #expect(api.call(.patch, log, #"{"retention": null, "ttl_ms": null}"#).status == 200)
        #expect(api.call(.get, log).json["config"]?["retention"]?["max_bytes"] == .null)
        #expect(
            api.call(.patch, log, #"{"schema": {"n": "BIGINT"}}"#).json["config"]?["schema"]
                == .parse(#"{"n": "BIGINT"}"#))
        #expect(api.call(.patch, log, #"{"schema": {"n": null}}"#).json["config"]?["schema"] == .object([]))
    }

    @Test(
        "a patch of what is fixed, or unknown, is 400 and names it",
        arguments: [
            (#"{"partitions": 2}"#, "partitions"), (#"{"compaction": "keys"}"#, "compaction"),
            (#"{"bogus": null}"#, "bogus"), (#"{"memory": {"bogus": null}}"#, "memory.bogus"),
        ])
    func refusedPatch(body: String, field: String) {
        api.call(.put, log)
        let answer = api.call(.patch, log, body)
        #expect(answer.status == 400)
        #expect(answer.json["field"] == .string(field))
        let wrong = api.call(.patch, log, "[]", ["Content-Type": "application/json-patch+json"])
        #expect(wrong.status == 415)
        #expect(wrong.field("Accept-Patch") != nil)
        #expect(api.call(.patch, "/v1/logs/none", "{}").code == "log_not_found")
    }

    @Test("a deleted log is gone, and its name free for one with another epoch")
    func delete() {
        let first = api.call(.put, log).json["epoch"]
        #expect(api.call(.delete, log).status == 204)
        #expect(api.call(.get, log).code == "log_not_found")
        #expect(api.call(.delete, log).code == "log_not_found")
        #expect(api.call(.put, log).json["epoch"] != first)
    }

    @Test("logs are listed by name, a page at a time")
    func list() {
        for name in ["b", "a", "B", "ab"] { api.call(.put, "/v1/logs/\(name)") }
        func names(_ query: String) -> [String] {
            api.call(.get, "/v1/logs?\(query)").json["logs"]?.arrayValue?.compactMap {
                $0["name"]?.stringValue
            } ?? []
        }
        #expect(names("") == ["B", "a", "ab", "b"])
        #expect(names("prefix=a&limit=1") == ["a"])
        #expect(names("start_after=a") == ["ab", "b"])
        #expect(api.call(.get, "/v1/logs?limit=3").json["has_more"] == .bool(true))
        #expect(api.call(.get, "/v1/logs?limit=4").json["has_more"] == .bool(false))
        #expect(api.call(.get, "/v1/logs?limit=1001").json["maximum"] == .integer(1000))
    }

    @Test("a configuration reads the same from a file")
    func fromFile() throws {
        let configuration = try LogConfiguration(json: .parse(#"{"ttl_ms": "30m", "compaction": "keys"}"#))
        #expect(configuration.ttlMilliseconds == 1_800_000)
        #expect(configuration.compaction == .keys)
        #expect(throws: FieldFailure.self) { try LogConfiguration(json: .parse(#"{"ttl": 1}"#)) }
    }
}
