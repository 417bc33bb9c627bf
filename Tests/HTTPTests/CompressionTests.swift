import Testing

@testable import HTTP

@Suite("Compression")
struct CompressionTests {
    static let codings: [ContentCoding] = [.gzip, .zstd]

    @Test(
        "the coding with the highest weight is chosen",
        arguments: [
            ("gzip", ContentCoding.gzip), ("zstd", .zstd), ("gzip, zstd", .zstd),
            ("gzip;q=1, zstd;q=0.5", .gzip),
            ("deflate, gzip, br, zstd", .zstd), ("GZIP", .gzip), ("x-gzip", .gzip), ("*", .zstd),
            ("gzip;q=0", nil), ("", nil), ("br", nil), ("identity", nil), ("identity;q=1, gzip;q=0.5", nil),
            ("*;q=0", nil), ("zstd;q=0, *", .gzip), ("gzip;q=nonsense", nil), ("gzip ; q=0.001", .gzip),
            (",,gzip,", .gzip),
        ])
    func preferences(field: String, coding: ContentCoding?) {
        var field = field
        #expect(field.withUTF8 { ContentCoding.preferred(in: UnsafeRawBufferPointer($0)) } == coding)
    }

    @Test("answers over a kibibyte are compressed as asked", arguments: codings)
    func answers(coding: ContentCoding) throws {
        let server = try TestServer()
        let client = try server.connect()
        for count in [4096, 64 * 1024, 64 * 1024 + 1, 1_000_000] {
            client.request("GET /bytes/\(count)", ["Accept-Encoding: \(coding.token)"])
            let answer = try client.answer()
            #expect(answer.fields["content-encoding"] == coding.token)
            #expect(answer.fields["vary"] == "Accept, Accept-Encoding")
            #expect(answer.body.count < count)
            #expect(try Samples.decoded(answer.body, coding) == TestServer.pattern(count))
        }
    }

    @Test("small, plain, and forbidden answers are not compressed")
    func plainAnswers() throws {
        let route = Route(.get, "/raw") { _ in
            var response = Response(status: 200, body: .bytes(Samples.text))
            response.mayBeCompressed = false
            return .now(response)
        }
        let tagged = Route(.get, "/tagged") { _ in
            .now(Response(status: 200, fields: [HeaderField("ETag", "\"1\"")], body: .bytes(Samples.text)))
        }
        let server = try TestServer([route, tagged])
        let client = try server.connect()
        for (line, fields) in [
            ("GET /bytes/1024", ["Accept-Encoding: gzip"]), ("GET /bytes/5000", []),
            ("GET /raw", ["Accept-Encoding: gzip"]),
            ("GET /tagged", ["Accept-Encoding: gzip"]),
        ] {
            client.request(line, fields)
            #expect(try client.answer().fields["content-encoding"] == nil)
        }
        client.request("GET /bytes/5000")
        #expect(try client.answer().fields["vary"] == "Accept, Accept-Encoding")
    }

    @Test("HEAD tells what GET would send", arguments: ["gzip", "identity"])
    func head(coding: String) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.request("GET /bytes/5000", ["Accept-Encoding: \(coding)"])
        let get = try client.answer()
        client.request("HEAD /bytes/5000", ["Accept-Encoding: \(coding)"])
        var head = try client.answer(withoutBody: true)
        head.fields["date"] = get.fields["date"]
        #expect(head.fields == get.fields)
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("request bodies are decoded, whatever pieces they come in", arguments: codings)
    func requests(coding: ContentCoding) throws {
        let server = try TestServer()
        let client = try server.connect()
        let body = TestServer.pattern(300_000)
        client.request(
            "PUT /echo/k", ["Content-Encoding: \(coding.token)"], body: Samples.encoded(body, coding))
        #expect(try client.answer().body == body)
        let coded = Samples.encoded(Samples.text, coding)
        client.send(
            "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: \(coding.token)\r\nContent-Length: \(coded.count)\r\n\r\n"
        )
        for byte in coded { client.send([byte]) }
        #expect(try client.answer().body == Samples.text)
        // Members, and frames, may follow each other.
        client.request("PUT /echo/k", ["Content-Encoding: \(coding.token)"], body: coded + coded)
        #expect(try client.answer().body == Samples.text + Samples.text)
    }

    @Test("a bomb gets 413 with as much decoded as the limit says", arguments: codings)
    func bombs(coding: ContentCoding) throws {
        let server = try TestServer()
        let client = try server.connect()
        let bomb = Samples.encoded([UInt8](repeating: 0, count: 200 << 20), coding)
        #expect(bomb.count < 1 << 20)
        client.request("PUT /echo/k", ["Content-Encoding: \(coding.token)"], body: bomb)
        #expect(try client.answer().status == 413)
        #expect(TestServer.eventually { server.metric("pyralog_http_request_body_bytes_in_flight") == 0 })
    }

    @Test("a zstd frame that wants a huge window is refused")
    func window() throws {
        // Magic, no single segment, a window descriptor of 2 GiB, an empty last block.
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA8, 0x01, 0x00, 0x00]
        let server = try TestServer()
        let client = try server.connect()
        client.request("PUT /echo/k", ["Content-Encoding: zstd"], body: frame)
        #expect(try client.answer().status == 400)
    }

    @Test("what is not in the coding it claims is refused", arguments: codings)
    func malformed(coding: ContentCoding) throws {
        let server = try TestServer()
        let coded = Samples.encoded(Samples.text, coding)
        for body in [Array("plain text".utf8), Array(coded.dropLast()), coded + [1, 2, 3, 4, 5]] {
            let client = try server.connect()
            client.request("PUT /echo/k", ["Content-Encoding: \(coding.token)"], body: body)
            #expect(try client.answer().status == 400)
        }
    }

    @Test("unknown and stacked codings are refused before the body")
    func unknown() throws {
        let server = try TestServer()
        for coding in ["br", "deflate", "gzip, zstd"] {
            let client = try server.connect()
            client.send(
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: \(coding)\r\nContent-Length: 5\r\n\r\n"
            )
            #expect(try client.answer().status == 415)
        }
        let client = try server.connect()
        client.request("PUT /echo/k", ["Content-Encoding: identity"], body: [1, 2])
        #expect(try client.answer().body == [1, 2])
    }

    @Test("in process, coded bodies are decoded, too", arguments: codings)
    func inProcess(coding: ContentCoding) {
        let router = Router(routes: TestServer.common, problem: EchoRoutes.problem)
        let request = Request(
            .put, "/echo/k", fields: [("Content-Encoding", coding.token)],
            body: Samples.encoded(Samples.text, coding))
        #expect(router.respond(to: request).body == Samples.text)
    }
}
