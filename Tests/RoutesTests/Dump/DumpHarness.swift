import Testing
import Platform
import HTTP
import JSON
import StorageEngine

/// What dumps are made of, and looked at through the API.
extension API {
    static let lines = ["Content-Type": "application/x-ndjson"]

    func dump(_ query: String = "", accept: String? = nil) -> CollectedResponse {
        call(.get, "/v1/dump?\(query)", "", accept.map { ["Accept": $0] } ?? [:])
    }

    func load(
        _ dump: String, _ query: String = "", _ fields: [String: String] = lines
    ) -> CollectedResponse { call(.post, "/v1/dump?\(query)", dump, fields) }

    /// Of a log, as clients see it: partitions, their records, keys and what they have.
    func content(_ log: String) -> [String] {
        let stats = call(.get, "/v1/logs/\(log)").json
        let partitions = stats["stats"]?["partitions"]?.arrayValue ?? []
        var content = [call(.get, "/v1/logs/\(log)").json["config"].map { "\($0)" } ?? "none"]
        for number in partitions.indices {
            content.append(
                call(.get, "/v1/logs/\(log)/records?partition=\(number)&limit=10000").text)
            content.append("\(partitions[number]["first"] ?? .null)")
        }
        content.append(
            (call(.get, "/v1/logs/\(log)/keys?limit=1000&values=true").json["keys"]?.arrayValue ?? [])
                .map { key in
                    ["key", "key_base64", "partition", "offset", "expires_at", "value", "value_text"]
                        .map { "\(key[$0] ?? .null)" }.joined(separator: " ")
                }.joined(separator: "\n"))
        return content
    }

    /// What has expired leaves tombstones when the maintenance thread comes by.
    func waitForExpired(_ count: Int64, in log: String) {
        for _ in 0..<2000 {
            let partitions = call(.get, "/v1/logs/\(log)").json["stats"]?["partitions"]?.arrayValue ?? []
            if partitions.reduce(0, { $0 + ($1["expired"]?.integerValue ?? 0) }) >= count { return }
            WakeUp.pause(milliseconds: 10)
        }
        Issue.record("\(count) keys of \(log) do not expire")
    }

    /// Logs with everything that a record may have.
    func fill() {
        call(.put, "/v1/logs/empty", #"{"partitions": 2, "schema": {"a": "BIGINT"}}"#)
        call(.put, "/v1/logs/keys", #"{"partitions": 3, "tombstones": true}"#)
        for number in 0..<200 {
            let key = "k\(number % 150)%00%FF\(number % 3)"
            call(
                .put, "/v1/logs/keys/keys/\(key)?priority=\(number % 256)", #"{"n": \#(number), "t": "ü\n"}"#)
            if number % 19 == 0 { call(.delete, "/v1/logs/keys/keys/\(key)") }
        }
        call(.put, "/v1/logs/keys/keys/soon?ttl_ms=5000", "1")
        call(.put, "/v1/logs/keys/keys/later?ttl_ms=500000", "\"text\"")
        call(
            .put, "/v1/logs/keys/keys/raw", bytes: [0, 255, 10, 13], ["Content-Type": "image/x-mine"])
        call(.put, "/v1/logs/keys/keys/text", "a\n\"b\"\\ \u{1}ü", ["Content-Type": "text/x-mine"])
        for number in 0..<100 { call(.put, "/v1/logs/compacted/keys/k\(number % 30)", "\(number)") }
        call(.put, "/v1/logs/events", #"{"partitions": 2}"#)
        for number in 0..<50 {
            call(
                .post, "/v1/logs/events/records:batch",
                #"{"records": [{"value": {"n": \#(number)}, "timestamp": \#(number - 20), "partition": \#(number % 2),"#
                    + #""headers": {"h": "\#(number)", "": "x"}}, {"value": null}, {"key": "k", "value_text": "t"}]}"#
            )
        }
        call(.delete, "/v1/logs/events/records?partition=1&before_offset=7")
    }
}
