import HTTP
import JSON
import Platform
import Routes
import StorageEngine
import Testing

@Suite("Tailing records")
struct RecordsTailTests {
    let api = API()
    let path = "/v1/logs/events/records"

    private struct Event: Equatable {
        var name = ""
        var id = ""
        var data = ""
        var json: JSONValue { .parse(data) }
    }

    private func tail(_ query: String, _ fields: [String: String] = [:]) -> CollectedResponse {
        api.call(.get, "\(path)?\(query)", "", fields.merging(["Accept": "text/event-stream"]) { $1 })
    }

    private func events(_ answer: CollectedResponse) -> [Event] {
        var events: [Event] = []
        for block in answer.text.split(separator: "\n\n") {
            var event = Event()
            for line in block.split(separator: "\n") {
                if line.hasPrefix("event: ") { event.name = String(line.dropFirst(7)) }
                if line.hasPrefix("id: ") { event.id = String(line.dropFirst(4)) }
                if line.hasPrefix("data: ") { event.data = String(line.dropFirst(6)) }
            }
            if !event.name.isEmpty { events.append(event) }
        }
        return events
    }

    @Test("a tail sends what is there with revisions as ids, and is done at its limit")
    func limit() {
        api.call(.post, path, "[1,{\"a\":\n2}]")
        let answer = tail("limit=2")
        #expect(answer.status == 200)
        #expect(answer.contentType == "text/event-stream")
        let events = events(answer)
        #expect(events.map(\.name) == ["record", "record", "done"])
        let epoch = api.call(.get, "/v1/logs/events").json["epoch"]?.stringValue ?? ""
        #expect(events.map(\.id) == ["0-0-\(epoch)", "0-1-\(epoch)", "done"])
        #expect(events[1].data.contains("{\"a\": 2}"))
        #expect(events[2].json["reason"] == .string("limit"))
    }

    @Test("a tail goes on with what comes")
    func comes() {
        api.call(.post, path, "1")
        let pending = Pending<CollectedResponse> { tail("last=0&limit=3") }
        while pending.isRunning { api.call(.post, path, "2") }
        let events = events(
            pending.wait() ?? CollectedResponse(status: 0, contentType: nil, fields: [], body: []))
        #expect(events.map(\.name) == ["record", "record", "record", "done"])
        let offsets = events.compactMap { $0.json["offset"]?.integerValue }
        #expect(offsets == Array((offsets.first ?? 0)..<(offsets.first ?? 0) + 3))
        #expect((offsets.first ?? 0) >= 1)
    }

    @Test("the last id resumes behind it, whatever the query says")
    func resume() {
        api.call(.post, path, "[0,1,2,3]")
        let id = events(tail("limit=2"))[1].id
        let rest = events(tail("offset=0&limit=2", ["Last-Event-ID": id]))
        #expect(rest.compactMap { $0.json["offset"]?.integerValue } == [2, 3])
    }

    @Test("who comes back after done is told to stay away")
    func done() {
        api.call(.post, path, "1")
        #expect(tail("limit=1", ["Last-Event-ID": "done"]).status == 204)
    }

    @Test("an id of another epoch, another partition or no id at all is refused")
    func badID() {
        api.call(.post, path, "1")
        #expect(tail("limit=1", ["Last-Event-ID": "0-0-00000000"]).code == "epoch_changed")
        #expect(tail("limit=1", ["Last-Event-ID": "nonsense"]).status == 400)
        let epoch = api.call(.get, "/v1/logs/events").json["epoch"]?.stringValue ?? ""
        #expect(tail("limit=1", ["Last-Event-ID": "1-0-\(epoch)"]).status == 400)
        #expect(tail("limit=1", ["Last-Event-ID": "0-7-\(epoch)"]).status == 416)
        #expect(tail("partition=*&limit=1", ["Last-Event-ID": "0-0-\(epoch),1-0-\(epoch)"]).status == 400)
    }

    @Test("all partitions are tailed with ids that resume all of them")
    func all() {
        api.call(.put, "/v1/logs/events", #"{"partitions": 3}"#)
        for number in 0..<9 { api.call(.post, "\(path)?partition=\(number % 3)", "\(number)") }
        let first = events(tail("partition=*&limit=5"))
        #expect(first.count == 6)
        let rest = events(tail("partition=*&limit=4", ["Last-Event-ID": first[4].id]))
        let values = (first + rest).compactMap { $0.json["value"]?.integerValue }
        #expect(values.sorted() == Array(0..<9))
        #expect(first[0].json["partition"] != nil)
        #expect(tail("partition=*&offset=0").status == 400)
        #expect(tail("limit=1").status == 400)
    }

    @Test("the deletion of the log ends its tails")
    func deleted() {
        api.call(.post, path, "1")
        let pending = Pending<CollectedResponse> { tail("last=0") }
        waitForTail()
        api.call(.delete, "/v1/logs/events")
        let events = events(
            pending.wait() ?? CollectedResponse(status: 0, contentType: nil, fields: [], body: []))
        #expect(events.map(\.name) == ["done"])
        #expect(events[0].json["reason"] == .string("deleted"))
        #expect(api.services.metricsText.contains("pyralog_tails 0"))
    }

    @Test("a stop ends all tails, and those that come after it")
    func stop() {
        api.call(.post, path, "1")
        let pending = Pending<CollectedResponse> { tail("last=0") }
        waitForTail()
        api.services.streams.endAll()
        #expect(pending.wait()?.text.contains("shutdown") == true)
        #expect(tail("last=0").text.contains("shutdown"))
    }

    @Test("a place that was trimmed is an error before the stream begins, clamp begins at the first kept")
    func trimmed() {
        api.call(.post, path, "[0,1,2]")
        api.call(.delete, "\(path)?before_offset=2")
        #expect(tail("offset=1").status == 410)
        #expect(tail("offset=4").status == 416)
        #expect(events(tail("offset=1&clamp=true&limit=1")).first?.json["offset"] == .integer(2))
    }

    @Test("a HEAD of a tail has a head and leaves no tail open")
    func head() {
        api.call(.post, path, "1")
        let answer = api.call(.head, path, "", ["Accept": "text/event-stream"])
        #expect(answer.contentType == "text/event-stream")
        #expect(api.services.metricsText.contains("pyralog_tails 0"))
    }

    private func waitForTail() {
        while !api.services.metricsText.contains("pyralog_tails 1") {}
    }
}

extension Services {
    var metricsText: String { router().respond(to: Request(.get, "/metrics")).text }
}
