import Testing

@testable import HTTP

@Suite("Host, Origin, methods")
struct HostTests {
    private func status(_ server: TestServer, _ fields: String) throws -> Int {
        let client = try server.connect()
        client.send("GET / HTTP/1.1\r\n\(fields)\r\n\r\n")
        return try client.answer().status
    }

    @Test(
        "a Host is an address, localhost, or configured; others get 421",
        arguments: [
            ("localhost", 200), ("LOCALHOST:7070", 200), ("127.0.0.1", 200), ("10.1.2.3:80", 200),
            ("[::1]:7070", 200),
            ("[fe80::1.2.3.4]", 200), ("db.example.com", 200), ("DB.example.com:8080", 200),
            ("exact.example.com:99", 200),
            ("evil.com", 421), ("evil.com:7070", 421), ("127.0.0.1.evil.com", 421), ("256.1.1.1", 421),
            ("1.2.3", 421),
            ("localhost.evil.com", 421), ("exact.example.com:98", 421), ("[]", 421), ("", 421),
            ("1.2.3.4.5", 421),
        ])
    func hosts(host: String, expected: Int) throws {
        let server = try TestServer { $0.hosts = ["db.example.com", "exact.example.com:99"] }
        #expect(try status(server, "Host: \(host)") == expected)
    }

    @Test("hosts are not checked when that is switched off")
    func unchecked() throws {
        let server = try TestServer { $0.checksHost = false }
        #expect(try status(server, "Host: anything.example.org") == 200)
    }

    @Test("an Origin is our own or configured; others get 403")
    func origins() throws {
        let server = try TestServer { $0.corsOrigins = ["https://app.example.com"] }
        let own = "Host: localhost:7070\r\nOrigin: "
        #expect(try status(server, own + "http://localhost:7070") == 200)
        #expect(try status(server, own + "https://app.example.com") == 200)
        for origin in [
            "http://evil.com", "null", "https://app.example.com.evil.com", "http://localhost:7071", "file://",
        ] {
            #expect(try status(server, own + origin) == 403)
        }
    }

    @Test("pages of a configured origin may read answers and ask before they write")
    func sharing() throws {
        let server = try TestServer { $0.corsOrigins = ["https://app.example.com"] }
        let client = try server.connect()
        client.request("GET /", ["Origin: https://app.example.com"])
        let get = try client.answer()
        #expect(get.fields["access-control-allow-origin"] == "https://app.example.com")
        #expect(get.fields["access-control-expose-headers"]?.contains("ETag") == true)
        #expect(get.fields["vary"] == "Origin")
        client.request(
            "OPTIONS /echo/k",
            [
                "Origin: https://app.example.com", "Access-Control-Request-Method: PUT",
                "Access-Control-Request-Headers: If-Match, X-Own",
            ])
        let preflight = try client.answer()
        #expect(preflight.status == 204)
        #expect(preflight.fields["access-control-allow-methods"]?.contains("PUT") == true)
        #expect(preflight.fields["access-control-allow-headers"] == "If-Match, X-Own")
        client.request("GET /")
        #expect(try client.answer().fields["access-control-allow-origin"] == nil)
    }

    @Test("a configured star lets all origins in")
    func allOrigins() throws {
        let server = try TestServer { $0.corsOrigins = ["*"] }
        #expect(try status(server, "Host: localhost\r\nOrigin: http://anywhere") == 200)
    }

    @Test("every answer says what browsers must not do with it")
    func standardFields() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.request("GET /")
        let answer = try client.answer()
        #expect(answer.fields["x-content-type-options"] == "nosniff")
        #expect(answer.fields["cache-control"] == "no-store")
        #expect(answer.fields["content-type"] == "text/plain")
        #expect(answer.fields["content-length"] == "5")
        #expect(answer.fields["date"]?.hasSuffix(" GMT") == true)
        #expect(answer.fields["connection"] == nil)
    }

    @Test("no value of a header field can end it and begin another")
    func injection() throws {
        let server = try TestServer([
            Route(.get, "/inject") { _ in
                .now(
                    Response(
                        status: 200, contentType: "text/plain\r\nX-Evil: 1",
                        fields: [HeaderField("Location", "/a\nX-Evil: 2"), HeaderField("ETag", "\"ä\"")]))
            }
        ])
        let client = try server.connect()
        client.request("GET /inject")
        let answer = try client.answer()
        #expect(answer.fields["x-evil"] == nil)
        #expect(answer.fields["content-type"] == nil)
        #expect(answer.fields["location"] == nil)
        #expect(answer.fields["etag"] == "\"ä\"")
    }

    @Test("304 has the length of the body it stands for, 204 none, and neither has a body")
    func emptyAnswers() throws {
        let server = try TestServer([
            Route(.get, "/304") { _ in .now(Response(status: 304, body: .bytes(Array("hello".utf8)))) },
            Route(.get, "/204") { _ in .now(Response(status: 204)) },
        ])
        let client = try server.connect()
        client.request("GET /304")
        #expect(try client.answer().fields["content-length"] == "5")
        client.request("GET /204")
        #expect(try client.answer().fields["content-length"] == nil)
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test(
        "dates are those of the calendar",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_795_392_000, "Mon, 23 Nov 2026 00:00:00 GMT"),
            (4_102_444_799, "Thu, 31 Dec 2099 23:59:59 GMT"),
        ])
    func dates(second: Int64, text: String) {
        let date = HTTPDate()
        let written = [UInt8](unsafeUninitializedCapacity: HTTPDate.length) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            date.write(into: start, now: second)
            count = HTTPDate.length
        }
        #expect(String(decoding: written, as: UTF8.self) == text)
    }

    @Test("requests are counted by route pattern, method and status, never by path")
    func metrics() throws {
        let server = try TestServer()
        let client = try server.connect()
        for line in ["GET /echo/a", "GET /echo/b", "HEAD /echo/c", "GET /none/x", "BREW /", "DELETE /echo/a"]
        {
            client.request(line)
            _ = try client.answer(withoutBody: line.hasPrefix("HEAD"))
        }
        client.request("PUT /echo/k", body: [1, 2, 3])
        _ = try client.answer()
        let total = { (method: String, route: String, status: Int) in
            server.metric(
                "pyralog_http_requests_total{method=\"\(method)\",route=\"\(route)\",status=\"\(status)\"}")
        }
        #expect(total("GET", "/echo/{key}", 200) == 2)
        #expect(total("HEAD", "/echo/{key}", 200) == 1)
        #expect(total("PUT", "/echo/{key}", 200) == 1)
        #expect(total("GET", "unmatched", 404) == 1)
        #expect(total("other", "unmatched", 405) == 1)
        #expect(total("DELETE", "unmatched", 405) == 1)
        #expect(server.metric("pyralog_http_request_duration_seconds_count{route=\"/echo/{key}\"}") == 4)
        #expect(server.metric("pyralog_http_connections") == 1)
        #expect(server.metric("pyralog_http_received_bytes_total") == 3)
    }
}
