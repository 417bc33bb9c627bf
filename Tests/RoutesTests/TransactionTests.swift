import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Transactions over HTTP")
struct TransactionTests {
    let api = API()

    private func run(_ body: String, _ fields: [String: String] = [:]) -> CollectedResponse {
        api.call(.post, "/v1/transactions", body, fields)
    }

    @Test("the branch that holds is done, one result an operation, values byte for byte")
    func branches() {
        let answer = run(
            #"""
            {"then": [{"put": {"log": "accounts", "key": "a", "value": {"balance":  90}, "ttl_ms": null, "priority": 0}},
             {"increment": {"log": "counters", "key": "transfers", "by": 2}},
             {"append": {"log": "events", "value_text": "transfer"}}, {"delete": {"log": "x", "key": "y"}},
             {"get": {"log": "accounts", "key_base64": "YQ=="}}, {"get": {"log": "nowhere", "key": "b"}}]}
            """#)
        #expect(answer.status == 200)
        #expect(answer.json["committed"] == .bool(true))
        #expect(answer.json["branch"]?.stringValue == "then")
        #expect(answer.text.contains(#""value":{"balance":  90}"#))
        let results = answer.json["results"]
        #expect(results?[1]?["value"] == .integer(2))
        #expect(results?[3]?["found"] == .bool(false))
        #expect(results?[4]?["revision"] == results?[0]?["revision"])
        #expect(results?[5]?["found"] == .bool(false))
        #expect(api.call(.get, "/v1/logs/x").status == 404)

        let revision = results?[0]?["revision"]?.stringValue ?? ""
        for (condition, branch) in [
            (#""exists": true"#, "then"), (#""exists": false"#, "else"),
            (#""value": {"balance":90}"#, "then"),
            (#""value": {"balance":91}"#, "else"), (#""value_text": "{}""#, "else"),
            (#""revision": "\#(revision)""#, "then"), (#""revision": "0-7-00000001""#, "else"),
        ] {
            let answer = run(
                #"{"if": [{"log": "accounts", "key": "a", \#(condition)}], "then": [{"get": {"log": "c", "key": "k"}}]}"#
            )
            #expect(answer.json["branch"]?.stringValue == branch, "\(condition)")
        }
    }

    @Test("what cannot be done is named, and nothing is done")
    func failure() {
        api.call(.put, "/v1/logs/a/keys/text", "hello")
        let answer = run(
            #"{"then": [{"put": {"log": "new", "key": "k", "value": 1}}, {"increment": {"log": "a", "key": "text"}}]}"#
        )
        #expect(answer.status == 409)
        #expect(answer.code == "transaction_failed")
        #expect(answer.json["index"] == .integer(1))
        #expect(answer.json["reason"]?.stringValue == "not_an_integer")
        #expect(api.call(.get, "/v1/logs/new").status == 404)
    }

    @Test(
        "a wrong body names the field",
        arguments: [
            ("", "invalid_json", ""), ("[1]", "invalid_argument", "body"), ("{}", "invalid_argument", "then"),
            (#"{"then": {}}"#, "invalid_argument", "then"),
            (#"{"then": [1]}"#, "invalid_argument", "then[0]"),
            (#"{"then": [{"get": {"log": "a", "key": "k"}}], "when": []}"#, "unknown_field", "when"),
            (#"{"then": [], "then": []}"#, "invalid_json", "then"),
            (#"{"then": [{"get": {"log": "a", "key": "k"}, "put": {}}]}"#, "invalid_argument", "then[0]"),
            (#"{"then": [{"move": {"log": "a", "key": "k"}}]}"#, "unknown_field", "then[0].move"),
            (#"{"then": [{"get": {"log": "a"}}]}"#, "invalid_argument", "then[0].get.key"),
            (#"{"then": [{"get": {"log": "../a", "key": "k"}}]}"#, "invalid_argument", "then[0].get.log"),
            (#"{"then": [{"get": {"log": "a", "key": "k", "x": 1}}]}"#, "unknown_field", "then[0].get.x"),
            (#"{"then": [{"get": {"log": "a", "key": ""}}]}"#, "invalid_argument", "then[0].get.key"),
            (#"{"then": [{"put": {"log": "a", "key": "k"}}]}"#, "invalid_argument", "then[0].put.value"),
            (
                #"{"then": [{"put": {"log": "a", "key": "k", "value": 1, "value_text": "1"}}]}"#,
                "invalid_argument", "then[0].put.value"
            ),
            (
                #"{"then": [{"put": {"log": "a", "key": "k", "value": 1, "ttl_ms": 0}}]}"#,
                "invalid_argument",
                "then[0].put.ttl_ms"
            ),
            (
                #"{"then": [{"put": {"log": "a", "key": "k", "value": 1, "ttl_ms": 5, "ttl": "none"}}]}"#,
                "invalid_argument", "then[0].put.ttl_ms"
            ),
            (
                #"{"then": [{"put": {"log": "a", "key": "k", "value": 1, "priority": 256}}]}"#,
                "invalid_argument", "then[0].put.priority"
            ),
            (
                #"{"then": [{"append": {"log": "a", "key": "k", "value": 1, "partition": 0}}]}"#,
                "invalid_argument", "then[0].append.partition"
            ),
            (#"{"then": [{"append": {"log": "a"}}]}"#, "invalid_argument", "then[0].append.value"),
            (
                #"{"if": [{"log": "a", "key": "k"}], "then": [{"get": {"log": "a", "key": "k"}}]}"#,
                "invalid_argument", "if[0]"
            ),
            (
                #"{"if": [{"log": "a", "key": "k", "revision": "x"}], "then": [{"get": {"log": "a", "key": "k"}}]}"#,
                "invalid_argument", "if[0].revision"
            ),
            (
                #"{"then": [{"increment": {"log": "a", "key": "k", "by": 1.5}}]}"#, "invalid_argument",
                "then[0].increment.by"
            ),
        ])
    func wrong(body: String, code: String, field: String) {
        let answer = run(body)
        #expect(answer.status == 400)
        #expect(answer.code == code, "\(answer.text)")
        #expect(field.isEmpty || answer.json["field"]?.stringValue == field, "\(answer.text)")
        #expect(api.call(.get, "/v1/logs").json["logs"] == .array([]))
    }

    @Test("too many operations, and a value nested too deep, are refused")
    func bounds() {
        let get = #"{"get": {"log": "a", "key": "k"}}"#
        let many = Array(repeating: get, count: 1001).joined(separator: ",")
        #expect(run("{\"then\": [\(many)]}").json["limit"] == .integer(1000))
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(run(#"{"then": [{"put": {"log": "a", "key": "k", "value": \#(deep)}}]}"#).status == 400)
        #expect(run("\u{0}").status == 400)
    }

    @Test("a retry with the same idempotency key is answered, and not done again")
    func idempotent() {
        let body = #"{"then": [{"increment": {"log": "a", "key": "n"}}]}"#
        let first = run(body, ["Idempotency-Key": "once"])
        let second = run(body, ["Idempotency-Key": "once"])
        #expect(first.body == second.body)
        #expect(api.call(.get, "/v1/logs/a/keys/n").text == "1")
        #expect(run("{\"then\": []}", ["Idempotency-Key": "once"]).code == "idempotency_mismatch")
    }

    @Test("a log that may not be created is missing, and a level that no log gives is refused")
    func missing() {
        let strict = API(createsLogs: false)
        let body = #"{"then": [{"put": {"log": "a", "key": "n", "value": 1}}]}"#
        #expect(strict.call(.post, "/v1/transactions", body).code == "log_not_found")
        #expect(api.call(.post, "/v1/transactions?ack=disk", body).code == "ack_unavailable")
        #expect(api.call(.get, "/v1/logs/a").status == 404)
    }
}
