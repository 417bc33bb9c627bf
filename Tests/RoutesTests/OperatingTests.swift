import HTTP
import JSON
import Platform
import Routes
import Testing

@Suite("Operating")
struct OperatingTests {
    @Test("live at once, ready when the server says so")
    func readiness() {
        let api = API()
        #expect(api.call(.get, "/livez").status == 200)
        let starting = api.call(.get, "/readyz")
        #expect(starting.status == 503)
        #expect(starting.code == "not_ready")
        api.services.readiness.isReady = true
        #expect(api.call(.get, "/readyz").status == 200)
    }

    @Test("the root links to the resources")
    func index() {
        let links = API().call(.get, "/").json["links"]
        #expect(links?["logs"] == .string("/v1/logs"))
        #expect(links?["metrics"] == .string("/metrics"))
    }

    @Test("info tells version, limits and memory")
    func info() {
        let info = API().call(.get, "/v1/info").json
        #expect(info["version"]?.stringValue?.isEmpty == false)
        #expect(info["limits"]?["key_bytes"] == .integer(1024))
        #expect((info["memory"]?["limit_bytes"]?.integerValue ?? 0) > 0)
    }

    @Test("the configuration says each value and its source")
    func configuration() {
        let api = API(configuration: [
            ConfigurationEntry("port", .integer(7070), .default),
            ConfigurationEntry("max_memory", .integer(4_000_000_000), .flag),
        ])
        #expect(
            api.call(.get, "/v1/config").json
                == .parse(
                    #"""
                    {"config": {"port": {"value": 7070, "source": "default"},
                                "max_memory": {"value": 4000000000, "source": "flag"}}}
                    """#))
    }

    @Test("metrics tell what was written, read, deleted and expired, by log")
    func metrics() {
        let api = API()
        api.call(.put, "/v1/logs/m/keys/a", "12345")
        api.call(.put, "/v1/logs/m/keys/b?ttl_ms=5", "1")
        api.call(.get, "/v1/logs/m/keys/a")
        let text = api.call(.get, "/metrics").text
        #expect(text.contains("pyralog_records_appended_total{log=\"m\"} 2\n"))
        #expect(text.contains("pyralog_bytes_appended_total{log=\"m\"} 8\n"))
        #expect(text.contains("pyralog_records_read_total{log=\"m\"} 1\n"))
        #expect(text.contains("pyralog_keys{log=\"m\"} 2\n"))
        #expect(text.contains("pyralog_memory_bytes{log=\"m\",kind=\"payload\"}"))
        #expect(text.contains("pyralog_tails 0\n"))
        #expect(text.contains("pyralog_logs 1\n"))
        api.call(.delete, "/v1/logs/m")
        #expect(!api.call(.get, "/metrics").text.contains("log=\"m\""))
    }

    @Test("logs beyond the thousandth are summed up without a label")
    func labelBound() {
        let api = API()
        for number in 1000..<2003 { api.call(.put, "/v1/logs/log\(number)/keys/a", "1") }
        let text = api.call(.get, "/metrics").text
        #expect(text.contains("pyralog_records_appended_total{log=\"log1999\"} 1\n"))
        #expect(text.contains("pyralog_records_appended_total{log=\"\"} 3\n"))
        #expect(!text.contains("log2000"))
    }

    @Test(
        "the format follows Accept",
        arguments: [
            ("", "text/plain"), ("*/*", "text/plain"), ("text/plain", "text/plain"),
            ("application/openmetrics-text; version=1.0.0", "application/openmetrics-text"),
            (
                "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5",
                "application/openmetrics-text"
            ),
            ("application/openmetrics-text;q=0.2, text/*;q=0.9", "text/plain"),
        ])
    func format(accept: String, type: String) {
        let answer = API().call(.get, "/metrics", "", accept.isEmpty ? [:] : ["Accept": accept])
        #expect(answer.status == 200)
        #expect(answer.contentType?.hasPrefix(type) == true)
        #expect(answer.text.hasSuffix("# EOF\n") == (type != "text/plain"))
    }

    @Test("a format that cannot be given is 406")
    func notAcceptable() {
        let answer = API().call(.get, "/metrics", "", ["Accept": "application/json"])
        #expect(answer.status == 406)
        #expect(answer.code == "not_acceptable")
    }

    @Test("work beyond the queue of the workers is refused, and stopping finishes what is queued")
    func workers() throws {
        let workers = Workers(threads: 1, queuedMax: 2)
        let gate = WakeUp()
        let generation = gate.generation
        let done = Recorder()
        let begun = WakeUp()
        let beginning = begun.generation
        try workers.run {
            begun.signal()
            gate.wait(since: generation)
            done.record("first")
        }
        begun.wait(since: beginning)
        try workers.run { done.record("second") }
        try workers.run { done.record("third") }
        #expect(throws: Problem.self) { try workers.run {} }
        gate.signal()
        workers.stop()
        #expect(done.all == ["first", "second", "third"])
        #expect(throws: Problem.self) { try workers.run {} }
    }
}
