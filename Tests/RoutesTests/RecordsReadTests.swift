import HTTP
import JSON
import Routes
import StorageEngine
import Testing

@Suite("Reading records")
struct RecordsReadTests {
    let api = API()
    let path = "/v1/logs/events/records"

    private func offsets(_ query: String) -> [Int64] {
        api.call(.get, "\(path)?\(query)").json["records"]?.arrayValue?.compactMap {
            $0["offset"]?.integerValue
        } ?? []
    }

    private func fill(_ count: Int) {
        for number in 0..<count { api.call(.post, "\(path)?timestamp=\(number * 10)", "\(number)") }
    }

    @Test("a read begins at the first record kept, an offset, a time or the last ones")
    func starts() {
        fill(5)
        #expect(offsets("") == [0, 1, 2, 3, 4])
        #expect(offsets("offset=3") == [3, 4])
        #expect(offsets("timestamp=25") == [3, 4])
        #expect(offsets("timestamp=1000") == [])
        #expect(offsets("last=2") == [3, 4])
        #expect(offsets("last=100") == [0, 1, 2, 3, 4])
        #expect(offsets("last=0") == [])
        #expect(offsets("offset=1&limit=2") == [1, 2])
        #expect(offsets("max_bytes=1") == [0])
    }

    @Test("the page says where to go on and whether that is the tail")
    func page() {
        fill(3)
        let page = api.call(.get, "\(path)?limit=2").json
        #expect(page["next_offset"] == .integer(2))
        #expect(page["tail"] == .integer(3))
        #expect(page["up_to_date"] == .bool(false))
        #expect(api.call(.get, "\(path)?offset=2").json["up_to_date"] == .bool(true))
    }

    @Test("beyond the tail is 416, below the first kept 410, clamp moves to the nearest")
    func outside() {
        fill(5)
        #expect(api.call(.delete, "\(path)?before_offset=2").status == 204)
        let trimmed = api.call(.get, "\(path)?offset=1")
        #expect(trimmed.status == 410)
        #expect(trimmed.json["first"] == .integer(2))
        let beyond = api.call(.get, "\(path)?offset=6")
        #expect(beyond.status == 416)
        #expect(beyond.json["tail"] == .integer(5))
        #expect(offsets("offset=1&clamp=true") == [2, 3, 4])
        #expect(api.call(.get, "\(path)?offset=9&clamp=true").json["next_offset"] == .integer(5))
        #expect(offsets("") == [2, 3, 4])
    }

    @Test(
        "a bad query is refused by name",
        arguments: [
            "offset=1&last=2", "offset=-1", "offset=x", "limit=0", "limit=10001", "max_bytes=0",
            "max_bytes=67108865",
            "wait_ms=60001", "clamp=1", "partition=*", "partition=x", "timestamp=soon", "last=-1", "bogus=1",
        ])
    func badQuery(query: String) {
        fill(1)
        #expect(api.call(.get, "\(path)?\(query)").status == 400)
    }

    @Test("a log of several partitions wants to know which")
    func partitions() {
        api.call(.put, "/v1/logs/events", #"{"partitions": 2}"#)
        #expect(api.call(.get, path).status == 400)
        #expect(api.call(.get, "\(path)?partition=1").status == 200)
        #expect(api.call(.get, "\(path)?partition=2").status == 400)
        #expect(api.call(.delete, "\(path)?before_offset=0").status == 400)
        #expect(api.call(.delete, "\(path)?before_offset=0&partition=1").status == 204)
    }

    @Test("a trim names the first offset that stays, at most the tail")
    func trim() {
        fill(2)
        #expect(api.call(.delete, path).status == 400)
        #expect(api.call(.delete, "\(path)?before_offset=3").status == 416)
        #expect(api.call(.delete, "\(path)?before_offset=2").status == 204)
        #expect(api.call(.delete, "\(path)?before_offset=1").status == 204)
        #expect(api.call(.get, path).json["next_offset"] == .integer(2))
        #expect(api.call(.delete, "/v1/logs/none/records?before_offset=1").status == 404)
    }

    @Test("lines are a record each, with line ends between tokens made spaces")
    func lines() {
        api.call(.post, path, "{\"a\":\r\n[1]}", ["Content-Type": "application/json"])
        api.call(.post, path, "one\r\ntwo\n", ["Content-Type": "text/plain"])
        let answer = api.call(.get, path, "", ["Accept": "application/x-ndjson"])
        #expect(answer.contentType == "application/x-ndjson")
        let lines = answer.text.split(separator: "\n").map(String.init)
        #expect(lines.count == 2)
        #expect(lines.first?.contains("{\"a\":  [1]}") == true)
        #expect(JSONValue.parse(lines[1])["value_text"] == .string("one\r\ntwo\n"))
        #expect(api.call(.get, path).text.contains("{\"a\":\r\n[1]}"))
    }

    @Test("raw bytes are one value as it was sent")
    func raw() {
        api.call(.post, path, bytes: [0xFF, 0x0A], ["Content-Type": "image/png"])
        let answer = api.call(.get, "\(path)?limit=1", "", ["Accept": "application/octet-stream"])
        #expect(answer.body == [0xFF, 0x0A])
        #expect(answer.contentType == "application/octet-stream")
        #expect(answer.revision.hasPrefix("0-0-"))
        #expect(api.call(.get, path, "", ["Accept": "application/octet-stream"]).status == 400)
        #expect(
            api.call(.get, "\(path)?limit=1&last=0", "", ["Accept": "application/octet-stream"]).status == 204
        )
        #expect(api.call(.get, path, "", ["Accept": "image/png"]).status == 406)
    }

    @Test(
        "a large page comes as a stream and is the same text",
        arguments: ["application/json", "application/x-ndjson"])
    func largePage(accept: String) {
        let value = "\"" + String(repeating: "x", count: 50_000) + "\""
        for _ in 0..<20 { api.call(.post, path, value) }
        let whole = api.call(.get, path, "", ["Accept": accept])
        #expect(whole.status == 200)
        let parts = (0..<20).map { number in
            api.call(.get, "\(path)?offset=\(number)&limit=1", "", ["Accept": "application/x-ndjson"]).text
                .dropLast()
        }
        if accept == "application/json" {
            #expect(
                whole.text
                    == "{\"records\":[\(parts.joined(separator: ","))],\"next_offset\":20,\"tail\":20,\"up_to_date\":true}\n"
            )
        } else {
            #expect(whole.text == parts.joined(separator: "\n") + "\n")
        }
        #expect(api.call(.head, path).status == 200)
    }

    @Test("a waiting read is answered by the next append, and by its deadline with an empty page")
    func waits() {
        fill(1)
        let poll = Pending<CollectedResponse> { [api, path] in
            api.call(.get, "\(path)?offset=1&wait_ms=60000")
        }
        while poll.isRunning, api.call(.get, "\(path)?last=1").json["tail"] == .integer(1) {
            api.call(.post, path, "1")
        }
        #expect(poll.wait()?.json["records"]?[0]?["offset"] == .integer(1))
        let empty = api.call(.get, "\(path)?last=0&wait_ms=1")
        #expect(empty.status == 200)
        #expect(empty.json["records"] == .array([]))
        #expect(api.call(.head, "\(path)?last=0&wait_ms=60000").status == 200)
    }

    @Test("a waiting read of a log that is deleted is 404")
    func waitsForDeleted() {
        fill(1)
        let poll = Pending<CollectedResponse> { [api, path] in api.call(.get, "\(path)?last=0&wait_ms=60000")
        }
        api.call(.delete, "/v1/logs/events")
        #expect(poll.wait()?.code == "log_not_found")
    }

    @Test("after waits for a revision, and another epoch's is refused")
    func after() {
        fill(1)
        let epoch = api.call(.get, "/v1/logs/events").json["epoch"]?.stringValue ?? ""
        #expect(api.call(.get, "\(path)?after=0-0-\(epoch)").status == 200)
        #expect(api.call(.get, "\(path)?after=0-0-00000000").code == "epoch_changed")
    }
}
