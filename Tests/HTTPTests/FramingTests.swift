import Testing

@testable import HTTP

@Suite("Framing")
struct FramingTests {
    /// Sends `text` and expects one answer with that status and then the end.
    private func expectRefusal(_ text: String, status: Int, sourceLocation: SourceLocation = #_sourceLocation)
        throws
    {
        let server = try TestServer()
        let client = try server.connect()
        client.send(text)
        let answer = try client.answer()
        #expect(answer.status == status, "\(answer.text)", sourceLocation: sourceLocation)
        #expect(try client.rest() == [], "something follows the answer", sourceLocation: sourceLocation)
        #expect(answer.fields["connection"] == "close", sourceLocation: sourceLocation)
    }

    @Test(
        "a request that two parsers may read differently is answered once and the connection closed",
        arguments: [
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                400
            ),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
                400
            ),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
                400
            ),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: a\r\nAuthorization: b\r\n\r\n", 400),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Type: a/b\r\nContent-Type: a/c\r\nContent-Length: 1\r\n\r\nx",
                400
            ),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length : 5\r\n\r\nhello", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX(y): 1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n: nameless\r\n\r\n", 400),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n x\r\n\r\n0\r\n\r\n",
                400
            ),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\t6\r\n\r\nhello", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n .evil\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n 2\r\nX-B: 3\r\n\r\n", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-LengthX: 5\r\n\r\n", 400),
            ("PUT /echo/k HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nX-A: 1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\u{0}2\r\nX-B: 3\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\u{0}2\r\n\r\n", 400),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
                501
            ),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: identity\r\n\r\n", 501),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
                501
            ),
            (
                "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
                501
            ),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: five\r\n\r\nhello", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5\r\n\r\nhello", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5,5\r\n\r\nhello", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
            ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505),
            ("GET /\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
            ("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello", 400),
        ])
    func refusals(text: String, status: Int) throws {
        try expectRefusal(text, status: status)
    }

    @Test("a body of ten gigabytes is refused before any of it is read")
    func announcedTooMuch() throws {
        try expectRefusal(
            "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000000\r\n\r\n", status: 413)
    }

    @Test("a client that waits for 100-continue is refused instead, and let in when all is well")
    func expectations() throws {
        try expectRefusal(
            "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n",
            status: 413)
        let server = try TestServer()
        let client = try server.connect()
        client.send(
            "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        #expect(try client.head().status == 100)
        client.send("hello")
        #expect(try client.answer().text == "hello")
    }

    @Test("endless chunks end with 413, and the answer arrives although the client is still sending")
    func endlessChunks() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0x61, count: 0x10000) + Array("\r\n".utf8)
        for _ in 0..<32 { client.send(chunk) }
        let answer = try client.answer()
        #expect(answer.status == 413)
        #expect(answer.fields["connection"] == "close")
        #expect(try client.rest() == [])
    }

    @Test("HTTP/1.0 is served: without Host, closed unless it asks to be kept")
    func version10() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try client.answer().text == "hello")
        client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.answer().text == "hello")
        #expect(try client.rest() == [])
    }

    @Test("a target with a raw space or NUL byte is refused")
    func rawTargets() throws {
        try expectKept("GET /echo/a b HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 400)
        try expectKept("GET /echo/a\u{0}b HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 400)
        try expectKept("GET /echo/a%20b HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 200)
    }

    @Test("an absolute target is taken when it names the same host")
    func absoluteTargets() throws {
        try expectKept("GET http://localhost/echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 200)
        try expectKept("GET http://localhost HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 200)
        try expectRefusal("GET http://other/echo/a HTTP/1.1\r\nHost: localhost\r\n\r\n", status: 400)
    }

    private func expectKept(_ text: String, status: Int) throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send(text)
        #expect(try client.answer().status == status)
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("refusals that leave the connection in order keep it open")
    func keptAlive() throws {
        let server = try TestServer()
        let client = try server.connect()
        for (line, status) in [
            ("GET /nothing", 404), ("DELETE /", 405), ("GET /echo/%zz", 400), ("BREW /", 405),
        ] {
            client.request(line)
            #expect(try client.answer().status == status)
        }
        client.request("PUT /echo/k", body: Array("value".utf8))
        #expect(try client.answer().text == "value")
        client.request("GET /", body: [UInt8](repeating: 1, count: 1000))
        #expect(try client.answer().text == "hello")
    }

    @Test("a body where none is expected is dropped up to a limit")
    func unexpectedBodies() throws {
        try expectRefusal("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 65537\r\n\r\n", status: 413)
        let server = try TestServer()
        let client = try server.connect()
        client.send("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<9 {
            client.send(Array("2000\r\n".utf8) + [UInt8](repeating: 1, count: 8192) + [13, 10])
        }
        #expect(try client.answer().status == 413)
    }

    @Test("requests that come in one packet are answered in order")
    func pipelined() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.send((0..<50).map { "GET /echo/\($0) HTTP/1.1\r\nHost: localhost\r\n\r\n" }.joined())
        for index in 0..<50 { #expect(try client.answer().text == "/echo/{key}|\(index)|") }
    }

    @Test("a request that comes byte by byte is understood")
    func byteByByte() throws {
        let server = try TestServer()
        let client = try server.connect()
        for byte in "PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nX-Long: abc\r\nContent-Length: 5\r\n\r\nhello"
            .utf8
        {
            client.send([byte])
        }
        #expect(try client.answer().text == "hello")
    }
}
