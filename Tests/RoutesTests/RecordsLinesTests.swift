import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Appending lines")
struct RecordsLinesTests {
    let api = API()
    let path = "/v1/logs/events/records"

    private func append(_ body: String, _ query: String = "") -> CollectedResponse {
        api.call(.post, "\(path)?\(query)", body, ["Content-Type": "application/x-ndjson"])
    }

    private func tail() -> JSONValue? { api.call(.get, "\(path)?last=1").json["tail"] }

    @Test("each line is a record, blank ones are skipped")
    func lines() {
        let answer = append("{\"n\": 1}\r\n\n \t\n2\n\"three\"")
        #expect(answer.status == 201)
        #expect(answer.json["count"] == .integer(3))
        #expect(api.call(.get, path).text.contains("\"value\":{\"n\": 1}}"))
    }

    @Test("a long body in many pieces arrives whole and in order")
    func long() {
        let body = (0..<50_000).map { #"{"id":"k\#($0 % 100)","n":\#($0)}"# }.joined(separator: "\n")
        #expect(append(body, "key_field=id").json["count"] == .integer(50_000))
        let page = api.call(.get, "\(path)?offset=49990").json
        #expect(page["records"]?[9]?["value"]?["n"] == .integer(49_999))
        #expect(api.call(.get, "/v1/logs/events/keys/k7").json["n"] == .integer(49_907))
    }

    @Test("a bad line is named with blank ones counted, and nothing is applied", arguments: [false, true])
    func badLine(withKey: Bool) {
        let good = (0..<10_000).map { #"{"id":\#($0)}"# }.joined(separator: "\n")
        for bad in [
            "{", "1 2", "[1]x", "{\"id\":}",
            String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        ] {
            let fields = withKey ? ["Idempotency-Key": "k\(bad.count)\(bad.first ?? "x")"] : [:]
            let answer = api.call(
                .post, path, "\(good)\n\n\(bad)\n\(good)",
                fields.merging(["Content-Type": "application/x-ndjson"]) { $1 })
            #expect(answer.status == 400)
            #expect(answer.json["line"] == .integer(10_002))
            #expect(answer.json["applied"] == .string("no"))
        }
        #expect(api.call(.get, path).status == 404)
    }

    @Test("more than an atomic body may have is 413 and says what to do")
    func tooLong() {
        var limits = RouteLimits()
        limits.batchBytesMax = 100_000
        let api = API(limits: limits)
        let body = String(repeating: "{\"a\":1}\n", count: 20_000)
        for fields in [[:], ["Content-Length": "160000"]] {
            let answer = api.call(
                .post, path, body, fields.merging(["Content-Type": "application/x-ndjson"]) { $1 })
            #expect(answer.status == 413)
            #expect(answer.json["detail"]?.stringValue?.contains("atomic=false") == true)
            #expect(answer.json["applied"] == .string("no"))
        }
        let answer = api.call(.post, "\(path)?atomic=false", body, ["Content-Type": "application/x-ndjson"])
        #expect(answer.status == 201)
        #expect(answer.json["count"] == .integer(20_000))
    }

    @Test("chunks lie behind each other in one partition")
    func chunks() {
        api.call(.put, "/v1/logs/events", #"{"partitions": 4}"#)
        let body = String(repeating: "{\"text\":\"\(String(repeating: "x", count: 100))\"}\n", count: 40_000)
        let answer = append(body, "atomic=false")
        #expect(answer.status == 201)
        #expect(answer.json["count"] == .integer(40_000))
        #expect(answer.json["ranges"]?.arrayValue?.count == 1)
        #expect(answer.json["ranges"]?[0]?["end"] == .integer(40_000))
    }

    @Test("a failure in chunks says which ranges are in: everything before the bad line")
    func partial() {
        let good = (0..<100_000).map { "{\"n\":\($0)}\n" }.joined()
        let answer = append("\(good)\n{\"n\":\n\(good)", "atomic=false")
        #expect(answer.status == 400)
        #expect(answer.json["line"] == .integer(100_002))
        #expect(answer.json["applied"] == .string("partial"))
        #expect(answer.json["ranges"]?[0]?["end"] == .integer(100_000))
        #expect(tail() == .integer(100_000))
    }

    @Test("a failure before any chunk is in has applied nothing")
    func notPartial() {
        let answer = append("{", "atomic=false")
        #expect(answer.status == 400)
        #expect(answer.json["applied"] == .string("no"))
        #expect(answer.json["ranges"] == nil)
    }

    @Test("a line beyond the limit of a value is named")
    func longLine() {
        var limits = RouteLimits()
        limits.valueBytesMax = 50_000
        let api = API(limits: limits)
        let answer = api.call(
            .post, "\(path)?atomic=false", "1\n\"" + String(repeating: "x", count: 100_000) + "\"\n",
            ["Content-Type": "application/x-ndjson"])
        #expect(answer.status == 413)
        #expect(answer.json["line"] == .integer(2))
    }

    @Test(
        "chunks cannot be combined with what needs one step",
        arguments: [
            ("match_offset=0", [:]), ("", ["Idempotency-Key": "k"]),
            ("", ["Producer-Id": "p", "Producer-Epoch": "0", "Producer-Seq": "0"]),
        ] as [(String, [String: String])])
    func oneStep(query: String, fields: [String: String]) {
        let answer = api.call(
            .post, "\(path)?atomic=false&\(query)", "1\n",
            fields.merging(["Content-Type": "application/x-ndjson"]) { $1 })
        #expect(answer.status == 400)
    }

    @Test("a key field that a line lacks is named")
    func missingKey() {
        let answer = append("{\"id\":1}\n{}\n", "key_field=id")
        #expect(answer.status == 400)
        #expect(answer.json["line"] == .integer(2))
        #expect(answer.json["field"] == .string("id"))
    }

    @Test("chunks wait for their commits, and a failed one is told with what is in")
    func held() {
        let log = HeldCommitLog()
        let api = API(engine: log.configuration)
        let body = String(repeating: "{\"text\":\"\(String(repeating: "x", count: 100))\"}\n", count: 25_000)
        for fails in [false, true] {
            let pending = Pending<CollectedResponse> {
                api.call(
                    .post, "/v1/logs/slow/records?atomic=false", body,
                    ["Content-Type": "application/x-ndjson"])
            }
            log.commitNext()
            log.commitNext()
            log.decide { fails ? $0.fail("the disk is gone") : $0.commit() }
            let answer = pending.wait()
            #expect(answer?.status == (fails ? 503 : 201))
            if fails { #expect(answer?.json["applied"] == .string("partial")) }
        }
    }
}
