import Platform
import Testing

@testable import HTTP

@Suite("Start and stop")
struct StopTests {
    @Test("a taken port is told as such")
    func taken() throws {
        let server = try TestServer()
        #expect {
            _ = try TestServer { $0.port = server.port }
        } throws: { error in
            (error as? HTTPStartFailure)?.addressInUse == true
        }
        #expect {
            _ = try TestServer { $0.host = "no-such-host.invalid" }
        } throws: { error in
            (error as? HTTPStartFailure)?.addressInUse == false
        }
    }

    @Test("IPv6 and names can be listened on", arguments: ["localhost", "::1", "0.0.0.0"])
    func hosts(host: String) throws {
        let server = try TestServer { $0.host = host }
        #expect(server.port != 0)
    }

    @Test("the address can be taken again at once after a stop")
    func again() throws {
        var server: TestServer? = try TestServer()
        let port = try #require(server?.port)
        let client = try RawClient(port: port)
        client.request("GET /")
        #expect(try client.answer().status == 200)
        server = nil
        server = try TestServer { $0.port = port }
        #expect(server?.port == port)
    }

    @Test("a stop cancels long waits, ends streams and closes idle connections without waiting for its grace")
    func stop() throws {
        let desk = WaitingDesk()
        let source = TestSource()
        let server = try TestServer([desk.route("/wait"), source.route("/stream")])
        let idle = try server.connect()
        let waiting = try server.connect()
        let streaming = try server.connect()
        idle.request("GET /")
        #expect(try idle.answer().status == 200)
        waiting.request("GET /wait")
        _ = try desk.next()
        streaming.request("GET /stream")
        #expect(try streaming.head().status == 200)
        source.say(Array("last words".utf8))
        server.server.stop(graceMilliseconds: 60_000)
        #expect(try idle.rest() == [])
        let answer = try waiting.answer()
        #expect(answer.status == 503)
        #expect(answer.fields["connection"] == "close")
        #expect(try streaming.chunk() == Array("last words".utf8))
        #expect(try streaming.chunk() == nil)
        #expect(desk.cancellations == [.stopping])
        #expect(source.finishedCount == 1)
        #expect(throws: RawClient.Failure.self) { try RawClient(port: server.port) }
    }

    @Test("a stop waits for what finishes soon, and for bodies under way, within its grace")
    func grace() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/commit", finishesBeforeStop: true)])
        let committing = try server.connect()
        committing.request("GET /commit")
        let reply = try desk.next()
        let sending = try server.connect()
        sending.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel")
        #expect(TestServer.eventually { server.metric("pyralog_http_received_bytes_total") == 3 })
        let stopper = Thread(name: "stopper") { [server = server.server] in
            server.stop(graceMilliseconds: 60_000)
        }
        DeadlineTests.pause(milliseconds: 50)
        sending.send("lo")
        let stored = try sending.answer()
        #expect(stored.text == "hello")
        #expect(stored.fields["connection"] == "close")
        #expect(reply.complete(SuspensionTests.text("committed")))
        #expect(try committing.answer().text == "committed")
        stopper.join()
        #expect(desk.cancellations.isEmpty)
    }

    @Test("when the grace is over what still waits is answered and what hangs is closed")
    func graceOver() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/commit", finishesBeforeStop: true)])
        let committing = try server.connect()
        committing.request("GET /commit")
        _ = try desk.next()
        let hanging = try server.connect()
        hanging.send("PUT /echo/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhel")
        #expect(TestServer.eventually { server.metric("pyralog_http_received_bytes_total") == 3 })
        server.server.stop(graceMilliseconds: 50)
        #expect(try committing.answer().status == 503)
        #expect(desk.cancellations == [.stopping])
        #expect(try hanging.rest() == [])
        #expect(server.metric("pyralog_http_connections") == 0)
        #expect(server.metric("pyralog_http_request_body_bytes_in_flight") == 0)
    }

    @Test("a server can stop under load, again and again")
    func underLoad() throws {
        for _ in 0..<10 {
            let server = try TestServer()
            let threads = (0..<4).map { _ in
                Thread(name: "load") { [port = server.port] in
                    while let client = try? RawClient(port: port) {
                        for _ in 0..<20 {
                            client.request("GET /bytes/100")
                            if (try? client.answer()) == nil { break }
                        }
                    }
                }
            }
            DeadlineTests.pause(milliseconds: 30)
            server.server.stop(graceMilliseconds: 5000)
            for thread in threads { thread.join() }
        }
    }
}
