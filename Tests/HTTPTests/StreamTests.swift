import Platform
import Testing

@testable import HTTP

@Suite("Streams")
struct StreamTests {
    @Test("a streamed answer comes in chunks and its source is finished once")
    func answers() throws {
        let source = TestSource(pieces: (0..<100).map { [UInt8](repeating: UInt8($0), count: 1000 + $0) })
        source.end()
        let server = try TestServer([source.route("/stream")])
        let client = try server.connect()
        client.request("GET /stream")
        #expect(
            try client.answer().body == (0..<100).flatMap { [UInt8](repeating: UInt8($0), count: 1000 + $0) })
        #expect(TestServer.eventually { source.finishedCount == 1 })
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("a source that waits suspends the connection and is woken from any thread")
    func waiting() throws {
        let source = TestSource()
        let server = try TestServer([source.route("/stream")])
        let client = try server.connect()
        client.request("GET /stream")
        #expect(try client.head().status == 200)
        for index in 0..<300 {
            let piece = Array("piece \(index)".utf8)
            source.say(piece)
            var got: [UInt8] = []
            while got.count < piece.count { got += try #require(try client.chunk()) }
            #expect(got == piece)
        }
        source.end()
        #expect(try client.chunk() == nil)
        #expect(TestServer.eventually { source.finishedCount == 1 })
        #expect(server.metric("pyralog_http_suspended_requests") == 0)
    }

    @Test("wakes without reason, before, during and after, do no harm")
    func spuriousWakes() throws {
        let source = TestSource()
        let server = try TestServer([source.route("/stream")])
        let client = try server.connect()
        client.request("GET /stream")
        #expect(try client.head().status == 200)
        let nagger = Thread(name: "nagger") { for _ in 0..<20_000 { source.wake() } }
        for index in 0..<500 { source.say([UInt8(truncatingIfNeeded: index)]) }
        nagger.join()
        source.end()
        var got: [UInt8] = []
        while let chunk = try client.chunk() { got += chunk }
        #expect(got == (0..<500).map { UInt8(truncatingIfNeeded: $0) })
        source.wake()
        #expect(TestServer.eventually { source.finishedCount == 1 })
        source.wake()
    }

    @Test("a client that hangs up during a wait finishes the source")
    func hangUp() throws {
        let source = TestSource()
        let server = try TestServer([source.route("/stream")])
        let client = try server.connect()
        client.request("GET /stream")
        #expect(try client.head().status == 200)
        client.hangUp()
        #expect(TestServer.eventually { source.finishedCount == 1 })
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 0 })
        #expect(server.metric("pyralog_http_suspended_requests") == 0)
    }

    @Test("a source that breaks off leaves an unfinished body")
    func abort() throws {
        let source = TestSource(pieces: [Array("begin".utf8)])
        source.breakOff()
        let server = try TestServer([source.route("/stream")])
        let older = try (0..<4).map { _ in try server.connect() }
        for client in older {
            client.request("GET /")
            #expect(try client.answer().status == 200)
        }
        let client = try server.connect()
        client.request("GET /stream")
        #expect(try client.head().status == 200)
        #expect(try client.chunk() == Array("begin".utf8))
        #expect(throws: RawClient.Failure.self) { try client.chunk() }
        #expect(client.isAtEnd)
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 4 })
        #expect(TestServer.eventually { source.finishedCount == 1 })
    }

    @Test("HEAD of a stream starts nothing and finishes the source")
    func head() throws {
        let source = TestSource(pieces: [[1]])
        let server = try TestServer([source.route("/stream")])
        let client = try server.connect()
        client.request("HEAD /stream")
        #expect(try client.answer(withoutBody: true).status == 200)
        #expect(TestServer.eventually { source.finishedCount == 1 })
        #expect(!source.hasStarted)
    }

    @Test("HTTP/1.0 gets a stream that ends with the connection")
    func version10() throws {
        let source = TestSource(pieces: [Array("abc".utf8), Array("def".utf8)])
        source.end()
        let server = try TestServer([source.route("/stream")])
        let older = try (0..<4).map { _ in try server.connect() }
        for client in older {
            client.request("GET /")
            #expect(try client.answer().status == 200)
        }
        let client = try server.connect()
        client.send("GET /stream HTTP/1.0\r\n\r\n")
        #expect(try client.answer().text == "abcdef")
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 4 })
    }

    @Test("a compressed stream passes on what was said before each wait", arguments: CompressionTests.codings)
    func compressed(coding: ContentCoding) throws {
        let source = TestSource()
        let server = try TestServer([source.route("/stream", mayBeCompressed: true)])
        let client = try server.connect()
        client.request("GET /stream", ["Accept-Encoding: \(coding.token)"])
        let head = try client.head()
        #expect(head.fields["content-encoding"] == coding.token)
        #expect(head.fields["vary"] == "Accept, Accept-Encoding")
        let decoder = try #require(Decoder(coding))
        func decode(_ chunk: [UInt8]) throws -> [UInt8] {
            var result: [UInt8] = []
            try chunk.withUnsafeBytes { try decoder.decode($0) { result += $0 } }
            return result
        }
        for index in 0..<20 {
            let piece = Array("event \(index)\n".utf8)
            source.say(piece)
            var got: [UInt8] = []
            while got.count < piece.count { got += try decode(try #require(try client.chunk())) }
            #expect(got == piece)
        }
        let large = TestServer.pattern(200_000)
        source.say(large)
        source.end()
        var got: [UInt8] = []
        while let chunk = try client.chunk() { got += try decode(chunk) }
        try decoder.finish()
        #expect(got == large)
    }

    @Test("large bodies in memory arrive whole, pinned ones keep their owner until sent")
    func pinned() throws {
        let owner = PinnedOwner(TestServer.pattern(3_000_000))
        weak let kept = owner
        let server = try TestServer([
            Route(.get, "/pinned") { _ in
                var response = Response(status: 200, body: .pinned(.init(owner.bytes, owner: owner)))
                response.mayBeCompressed = false
                return .now(response)
            }
        ])
        let client = try server.connect()
        client.request("GET /pinned")
        #expect(try client.answer().body == TestServer.pattern(3_000_000))
        client.request("GET /bytes/20000000")
        #expect(try client.answer().body == TestServer.pattern(20_000_000))
        #expect(kept != nil)
    }

    @Test("a streamed request body arrives in order and is answered by its consumer")
    func requestBodies() throws {
        let consumer = RecordingConsumer()
        let server = try TestServer([Self.route(consumer)])
        let client = try server.connect()
        client.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        let body = TestServer.pattern(500_000)
        for start in stride(from: 0, to: body.count, by: 7919) {
            let piece = body[start..<min(start + 7919, body.count)]
            client.send(Array("\(String(piece.count, radix: 16));name=value\r\n".utf8) + piece + [13, 10])
        }
        client.send("0\r\nTrailer: ignored\r\n\r\n")
        #expect(try client.answer().text == "500000")
        #expect(consumer.bytes == body)
        #expect(consumer.events == ["finished"])
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("an empty streamed body is finished, too")
    func emptyRequestBody() throws {
        let consumer = RecordingConsumer()
        let server = try TestServer([Self.route(consumer)])
        let client = try server.connect()
        client.request("POST /stream", body: [])
        #expect(try client.answer().text == "0")
        #expect(consumer.events == ["finished"])
    }

    @Test("an error of a consumer answers at once, though the client is in the middle of its body")
    func consumerRefuses() throws {
        let consumer = RecordingConsumer(bytesMax: 100_000)
        let server = try TestServer([Self.route(consumer)])
        let client = try server.connect()
        client.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n")
        client.send([UInt8](repeating: 1, count: 2_000_000))
        #expect(try client.answer().status == 500)
        #expect(try client.rest() == [])
        #expect(consumer.events == ["cancelled"])
    }

    @Test("a client that hangs up in its body cancels the consumer")
    func requestHangUp() throws {
        let consumer = RecordingConsumer()
        let server = try TestServer([Self.route(consumer)])
        let client = try server.connect()
        client.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        #expect(TestServer.eventually { consumer.bytes.count == 3 })
        client.hangUp()
        #expect(TestServer.eventually { consumer.events == ["cancelled"] })
    }

    @Test("in process, streams are collected and bodies fed")
    func inProcess() {
        let source = TestSource(pieces: [[1, 2], [3]])
        source.end()
        let consumer = RecordingConsumer()
        let router = Router(
            routes: [source.route("/stream"), Self.route(consumer)], problem: EchoRoutes.problem)
        #expect(router.respond(to: Request(.get, "/stream")).body == [1, 2, 3])
        #expect(source.finishedCount == 1)
        let body = TestServer.pattern(100_000)
        #expect(router.respond(to: Request(.post, "/stream", body: body)).body == Array("100000".utf8))
        #expect(consumer.bytes == body)
    }

    static func route(_ consumer: RecordingConsumer) -> Route {
        Route(.post, "/stream", body: { _ in .streamed(consumer) }) { _ in .now(Response(status: 500)) }
    }
}

private final class PinnedOwner: Sendable {
    nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    init(_ content: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: content.count, alignment: 64)
        copy.copyBytes(from: content)
        bytes = UnsafeRawBufferPointer(copy)
    }

    deinit { bytes.deallocate() }
}
