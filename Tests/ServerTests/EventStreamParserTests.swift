import Testing

@testable import Server

@Suite("Server-sent events")
struct EventStreamParserTests {
    private func events(_ text: String, pieces: Int) -> [EventStreamParser.Event] {
        var parser = EventStreamParser()
        let bytes = Array(text.utf8)
        var events: [EventStreamParser.Event] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            bytes[start..<min(bytes.count, start + pieces)].withUnsafeBytes { events += parser.take($0) }
        }
        return events
    }

    @Test("events come out whole, however the bytes are cut", arguments: [1, 2, 3, 7, 1000])
    func cuts(pieces: Int) {
        let text = """
            : a comment\r
            event: record\r
            id: 0-1-ab\r
            data: {"a":1}\r
            \r
            event: ping\n\ndata: é\ndata: two\n\nid: 0-2-ab\rdata:no space\r\r
            data: unfinished
            """
        #expect(
            events(text, pieces: pieces) == [
                .init(name: "record", id: "0-1-ab", data: "{\"a\":1}"),
                .init(name: "ping", id: "0-1-ab", data: ""),
                .init(name: "message", id: "0-1-ab", data: "é\ntwo"),
                .init(name: "message", id: "0-2-ab", data: "no space"),
            ])
    }
}
