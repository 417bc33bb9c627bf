import HTTP
import JSON
import Platform
import StorageEngine
import Testing

@testable import Routes

@Suite("The source of a tail")
struct TailSourceTests {
    private let api = API()
    private let path = "/v1/logs/events/records"

    /// Counts how often a stream was woken.
    private final class CountingWaker: StreamWaker {
        private let count = Lock(0)
        var wakes: Int { count.withLock { $0 } }
        func wake() { count.withLock { $0 += 1 } }
    }

    private func source(_ target: String) throws -> TailSource {
        let request = Request(.get, target)
        let query = try QueryReader(request, allowed: ReadQuery.parameters)
        let log = try #require(api.engine.log(named: "events"))
        let read = try ReadQuery(query)
        let start = try TailStart(query, read, lastEventID: nil, log)
        return TailSource(log, start, limit: read.limit, api.services)
    }

    /// All that can be read now.
    private func drain(_ source: TailSource, pieceBytes: Int = 100) -> (text: String, isOver: Bool) {
        var bytes: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceBytes, alignment: 8)
        defer { buffer.deallocate() }
        while true {
            switch source.read(into: buffer) {
            case .bytes(let count): bytes.append(contentsOf: buffer[..<count])
            case .wait: return (String(decoding: bytes, as: UTF8.self), false)
            case .end, .abort: return (String(decoding: bytes, as: UTF8.self), true)
            }
        }
    }

    @Test("a ping comes when 15 seconds have passed, again and again, and not before")
    func pings() throws {
        api.call(.post, path, "1")
        let source = try source("\(path)?last=0")
        let waker = CountingWaker()
        source.start(waker: waker)
        defer { source.finished() }
        #expect(drain(source).text == ": tail\n\n")
        let now = Clock.monotonicNanoseconds()
        source.beat(now + 14_000_000_000)
        #expect(drain(source).text == "")
        for round in 1...3 as ClosedRange<Int64> {
            let wakes = waker.wakes
            source.beat(now + round * 16_000_000_000)
            #expect(waker.wakes == wakes + 1)
            #expect(drain(source).text == "event: ping\ndata: {}\n\n")
        }
    }

    @Test("a slow reader whose place is trimmed is told so and cut off")
    func slow() throws {
        api.call(.post, path, "[\((0..<1000).map(String.init).joined(separator: ","))]")
        let source = try source("\(path)?offset=0")
        source.start(waker: CountingWaker())
        defer { source.finished() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1000, alignment: 8)
        defer { buffer.deallocate() }
        for _ in 0..<3 { _ = source.read(into: buffer) }
        api.call(.delete, "\(path)?before_offset=1000")
        let rest = drain(source)
        #expect(rest.isOver)
        #expect(rest.text.contains("event: error\ndata: {\"type\":\"tag:pyralog,2026:error/offset_trimmed\""))
        #expect(rest.text.hasSuffix("\n\n"))
    }

    @Test("a wait is over when records come, and cancelled when the stream is")
    func waits() throws {
        api.call(.post, path, "1")
        let source = try source("\(path)?last=0")
        let waker = CountingWaker()
        source.start(waker: waker)
        #expect(drain(source).text == ": tail\n\n")
        api.call(.post, path, "2")
        while waker.wakes == 0 {}
        #expect(drain(source).text.contains("\"value\":2"))
        source.finished()
        source.finished()
        let wakes = waker.wakes
        api.call(.post, path, "3")
        #expect(
            api.call(.get, "\(path)?offset=2&wait_ms=60000").json["records"]?[0]?["offset"] == .integer(2))
        #expect(waker.wakes == wakes)
        #expect(api.services.metricsText.contains("pyralog_tails 0"))
    }

    @Test("large values go out in pieces of any size", arguments: [1, 7, 100_000])
    func pieces(pieceBytes: Int) throws {
        let value = "\"" + String(repeating: "x", count: 30_000) + "\""
        api.call(.post, path, "[\(value),\(value)]")
        let source = try source("\(path)?limit=2")
        source.start(waker: CountingWaker())
        let all = drain(source, pieceBytes: pieceBytes)
        source.finished()
        #expect(all.isOver)
        #expect(all.text.split(separator: "\n").filter { $0.contains(value) }.count == 2)
        #expect(all.text.hasSuffix("data: {\"reason\":\"limit\"}\n\n"))
    }
}
