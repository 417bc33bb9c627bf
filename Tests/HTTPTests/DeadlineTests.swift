import Platform
import Testing

@testable import HTTP

@Suite("Deadlines and limits")
struct DeadlineTests {
    @Test("a head that drips in is cut off, however steadily it drips")
    func slowHead() throws {
        let server = try TestServer { $0.headerTimeoutMilliseconds = 200 }
        let client = try server.connect()
        client.send("GET / HTTP/1.1\r\n")
        #expect(Self.drips(client) { "X-\($0): 1\r\n" })
        #expect(
            TestServer.eventually {
                server.metric("pyralog_http_rejected_total{reason=\"header_timeout\"}") == 1
            })
    }

    @Test("a second head on a kept connection is cut off, too")
    func slowSecondHead() throws {
        let server = try TestServer { $0.headerTimeoutMilliseconds = 200 }
        let client = try server.connect()
        client.request("GET /")
        #expect(try client.answer().status == 200)
        client.send("GET / HTTP/1.1\r\n")
        #expect(Self.drips(client) { "X-\($0): 1\r\n" })
    }

    @Test("a body slower than the least rate gets 408")
    func slowBody() throws {
        let server = try TestServer {
            $0.bodyTimeoutMilliseconds = 200
            $0.bodyBytesPerSecondMin = 100_000
        }
        let client = try server.connect()
        client.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc")
        #expect(try client.answer().status == 408)
        #expect(try client.rest() == [])
        #expect(TestServer.eventually { server.metric("pyralog_http_request_body_bytes_in_flight") == 0 })
    }

    @Test("a body that drips gets 408 once, and its consumer is told")
    func drippingBody() throws {
        let consumer = RecordingConsumer()
        let route = Route(.post, "/stream", body: { _ in .streamed(consumer) }) { _ in
            .now(Response(status: 500))
        }
        let server = try TestServer([route]) {
            $0.bodyTimeoutMilliseconds = 200
            $0.bodyBytesPerSecondMin = 100_000
        }
        let client = try server.connect()
        client.send("POST /stream HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(Self.drips(client) { _ in "1\r\nx\r\n" })
        #expect(try client.answer().status == 408)
        #expect(TestServer.eventually { consumer.events.last == "cancelled" })
        #expect(consumer.events.filter { $0 == "cancelled" }.count == 1)
    }

    @Test("a fast body of any length is not cut off")
    func fastBody() throws {
        let server = try TestServer {
            $0.bodyTimeoutMilliseconds = 100
            $0.bodyBytesPerSecondMin = 10
        }
        let client = try server.connect()
        client.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<10 {
            client.send([UInt8](repeating: 0x61, count: 10))
            Self.pause(milliseconds: 40)
        }
        #expect(try client.answer().status == 200)
    }

    @Test("an idle connection is closed, quietly")
    func idle() throws {
        let server = try TestServer { $0.idleTimeoutMilliseconds = 200 }
        let client = try server.connect()
        client.request("GET /")
        #expect(try client.answer().status == 200)
        #expect(try client.rest() == [])
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 0 })
    }

    @Test("a client that stops reading is cut off")
    func stalledReader() throws {
        let server = try TestServer { $0.idleTimeoutMilliseconds = 200 }
        let client = try RawClient(port: server.port, receiveBufferBytes: 4096)
        client.request("GET /bytes/50000000")
        #expect(
            TestServer.eventually {
                server.metric("pyralog_http_rejected_total{reason=\"send_timeout\"}") == 1
            })
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 0 })
    }

    @Test("connections over the limit hear 503 with Retry-After, and there is room again after a close")
    func connectionLimit() throws {
        let server = try TestServer { $0.connectionsMax = 3 }
        var clients = try (0..<3).map { _ in try server.connect() }
        for client in clients {
            client.request("GET /")
            #expect(try client.answer().status == 200)
        }
        let late = try server.connect()
        late.request("GET /")
        let answer = try late.answer()
        #expect(answer.status == 503)
        #expect(answer.fields["retry-after"] == "1")
        #expect(try late.rest() == [])
        clients.removeAll()
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 0 })
        let again = try server.connect()
        again.request("GET /")
        #expect(try again.answer().status == 200)
    }

    @Test("connections from one address are limited")
    func perAddressLimit() throws {
        let server = try TestServer { $0.connectionsPerAddressMax = 1 }
        let first = try server.connect()
        first.request("GET /")
        #expect(try first.answer().status == 200)
        let second = try server.connect()
        second.request("GET /")
        #expect(try second.answer().status == 503)
    }

    @Test("a long target gets 414, long headers 431, in our words while they fit the parser's memory")
    func headLimits() throws {
        let server = try TestServer {
            $0.targetBytesMax = 1000
            $0.headerBytesMax = 8000
        }
        func status(_ line: String, _ fields: [String] = []) throws -> Int {
            let client = try server.connect()
            client.request(line, fields)
            return try client.answer().status
        }
        let long = { (count: Int) in String(repeating: "a", count: count) }
        #expect((try? status("GET /echo/\(long(990))")) == 200)
        #expect((try? status("GET /echo/\(long(1000))")) == 414)
        #expect((try? status("GET /echo/\(long(100_000))")) == 414)
        #expect((try? status("GET /", ["X: " + long(7000)])) == 200)
        #expect((try? status("GET /", ["X: " + long(8000)])) == 431)
        #expect((try? status("GET /", ["X: " + long(11_900)])) == 431)
        #expect((try? status("GET /", ["X: " + long(100_000)])) == 431)
        #expect((try? status("GET /", [String](repeating: "X: y", count: 3000))) == 431)
    }

    @Test("the standard limits let 16 KiB of target and 32 KiB of head in")
    func standardHeadLimits() throws {
        let server = try TestServer()
        let client = try server.connect()
        client.request("GET /echo/" + String(repeating: "a", count: 16_000))
        #expect(try client.answer().status == 200)
        client.request("GET /", (0..<32).map { "X-\($0): " + String(repeating: "b", count: 1000) })
        #expect(try client.answer().status == 200)
        client.request("GET /", ["X: " + String(repeating: "b", count: 32_700)])
        #expect(try client.answer().status == 200)
    }

    @Test("request bodies together are bounded, and what they held is given back on every way out")
    func bodiesInFlight() throws {
        let server = try TestServer { $0.bodyBytesInFlightMax = 100_000 }
        let inFlight = { server.metric("pyralog_http_request_body_bytes_in_flight") }
        let holder = try server.connect()
        holder.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80001\r\n\r\n")
        holder.send([UInt8](repeating: 0x61, count: 80_000))
        #expect(TestServer.eventually { inFlight() == 80_000 })
        let announced = try server.connect()
        announced.request("PUT /echo/k", body: [UInt8](repeating: 0x62, count: 30_000))
        #expect(try announced.answer().status == 503)
        let chunked = try server.connect()
        chunked.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunked.send(
            Array("7530\r\n".utf8) + [UInt8](repeating: 0x62, count: 30_000) + Array("\r\n0\r\n\r\n".utf8))
        let answer = try chunked.answer()
        #expect(answer.status == 503)
        #expect(answer.fields["retry-after"] == "1")
        #expect(TestServer.eventually { inFlight() == 80_000 })
        let small = try server.connect()
        small.request("PUT /echo/k", body: [UInt8](repeating: 0x62, count: 10_000))
        #expect(try small.answer().status == 200)
        #expect(TestServer.eventually { inFlight() == 80_000 })
        holder.send("a")
        #expect(try holder.answer().body.count == 80_001)
        #expect(TestServer.eventually { inFlight() == 0 })
        holder.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 80000\r\n\r\n")
        holder.send([UInt8](repeating: 0x61, count: 40_000))
        #expect(TestServer.eventually { inFlight() == 40_000 })
        holder.hangUp()
        #expect(TestServer.eventually { inFlight() == 0 })
    }

    /// Sends a little again and again until the other side has had enough.
    private static func drips(_ client: RawClient, _ piece: (Int) -> String) -> Bool {
        for index in 0..<1000 {
            if !client.send(piece(index)) { return true }
            pause(milliseconds: 10)
        }
        return false
    }

    static func pause(milliseconds: Int64) {
        let wakeUp = WakeUp()
        wakeUp.wait(since: wakeUp.generation, timeoutNanoseconds: milliseconds * 1_000_000)
    }
}
