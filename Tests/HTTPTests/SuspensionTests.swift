import Platform
import Synchronization
import Testing

@testable import HTTP

@Suite("Waiting requests")
struct SuspensionTests {
    @Test("a reply that was complete before the handler returned is sent")
    func completeAtOnce() throws {
        let server = try TestServer([
            Route(.get, "/wait") { request in
                let reply = request.deferReply { _ in nil }
                reply.complete(Self.text("early"))
                return .later(reply)
            }
        ])
        let client = try server.connect()
        for _ in 0..<100 {
            client.request("GET /wait")
            #expect(try client.answer().text == "early")
        }
    }

    @Test("a reply completed from another thread is sent, once, and the connection goes on")
    func completeLater() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/wait")])
        let client = try server.connect()
        for index in 0..<100 {
            client.request("GET /wait")
            let reply = try desk.next()
            #expect(reply.complete(Self.text("\(index)")))
            #expect(!reply.complete(Self.text("again")))
            #expect(try client.answer().text == "\(index)")
        }
        #expect(desk.cancellations.isEmpty)
        #expect(TestServer.eventually { server.metric("pyralog_http_suspended_requests") == 0 })
    }

    @Test("header fields can still be read when the reply comes later")
    func fieldsAreKept() throws {
        let requests = Lock<[(Request, DeferredReply)]>([])
        let server = try TestServer([
            Route(.get, "/wait") { request in
                let reply = request.deferReply { _ in nil }
                requests.withLock { $0.append((request, reply)) }
                return .later(reply)
            }
        ])
        let client = try server.connect()
        client.request("GET /wait", ["Accept: a/b", "X-Empty:"])
        #expect(TestServer.eventually { requests.withLock { !$0.isEmpty } })
        let (request, reply) = requests.withLock { $0.removeLast() }
        #expect(request.field("accept") == "a/b")
        #expect(request.field("x-empty") == "")
        reply.complete(Self.text("done"))
        #expect(try client.answer().text == "done")
        #expect(request.field("accept") == "a/b")
    }

    @Test("an error of a waiting request has the mapping of all errors")
    func fail() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/wait")])
        let client = try server.connect()
        client.request("GET /wait")
        try desk.next().fail(HTTPFailure.bodyTooLarge(limit: 1, what: "x"))
        #expect(try client.answer().status == 413)
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("a deadline asks for its answer, or gives the standard one")
    func deadlines() throws {
        let desk = WaitingDesk { $0 == .deadline ? Self.text("nothing new") : nil }
        let silent = WaitingDesk()
        let server = try TestServer([
            desk.route("/wait", deadlineMilliseconds: 50), silent.route("/silent", deadlineMilliseconds: 0),
        ])
        let client = try server.connect()
        client.request("GET /wait")
        #expect(try client.answer().text == "nothing new")
        #expect(try !desk.next().complete(Self.text("late")))
        client.request("GET /silent")
        #expect(try client.answer().status == 504)
        #expect(desk.cancellations == [.deadline])
        #expect(silent.cancellations == [.deadline])
    }

    @Test("a client that hangs up while it waits is noticed")
    func hangUps() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/wait")])
        let client = try server.connect()
        client.request("GET /wait")
        let reply = try desk.next()
        client.hangUp()
        #expect(TestServer.eventually { desk.cancellations == [.hungUp] })
        #expect(!reply.complete(Self.text("for nobody")))
        #expect(TestServer.eventually { server.metric("pyralog_http_connections") == 0 })
        #expect(server.metric("pyralog_http_suspended_requests") == 0)
    }

    @Test("a thousand waiting requests are all answered when one event wakes them")
    func thousand() throws {
        let desk = WaitingDesk()
        let server = try TestServer([desk.route("/wait", deadlineMilliseconds: 60_000)]) {
            $0.headerTimeoutMilliseconds = 60_000
        }
        let clients = try (0..<1000).map { _ in try server.connect() }
        for client in clients { client.request("GET /wait") }
        let replies = try clients.map { _ in try desk.next() }
        #expect(TestServer.eventually { server.metric("pyralog_http_suspended_requests") == 1000 })
        for reply in replies { reply.complete(Self.text("woken")) }
        for client in clients { #expect(try client.answer().text == "woken") }
        #expect(TestServer.eventually { server.metric("pyralog_http_suspended_requests") == 0 })
    }

    @Test("completion, deadline, hang-up and the next request race, and each request ends exactly once")
    func races() throws {
        let desk = WaitingDesk { _ in Self.text("cancelled") }
        let server = try TestServer([desk.route("/wait", deadlineMilliseconds: 3)])
        let rounds = 1500
        let completers = (0..<2).map { _ in
            Thread(name: "completer") {
                var random = SystemRandomNumberGenerator()
                while let reply = desk.nextIfOpen() {
                    let pause = Int64.random(in: 0..<6_000_000, using: &random)
                    let wakeUp = WakeUp()
                    if pause > 1_000_000 { wakeUp.wait(since: wakeUp.generation, timeoutNanoseconds: pause) }
                    if reply.complete(Self.text("completed")) { desk.countCompletion() }
                }
            }
        }
        var answered = 0
        var hungUp = 0
        var client = try server.connect()
        for round in 0..<rounds {
            client.request("GET /wait")
            if round % 5 == 4 {
                DeadlineTests.pause(milliseconds: Int64(round % 4))
                client.hangUp()
                hungUp += 1
                client = try server.connect()
            } else {
                let text = try client.answer().text
                #expect(text == "completed" || text == "cancelled")
                answered += 1
            }
        }
        #expect(TestServer.eventually { server.metric("pyralog_http_suspended_requests") == 0 })
        desk.close()
        for completer in completers { completer.join() }
        #expect(answered + hungUp == rounds)
        #expect(TestServer.eventually { desk.cancellations.count + desk.completions == desk.count })
        client.request("GET /")
        #expect(try client.answer().text == "hello")
    }

    @Test("in process, a waiting request is waited for")
    func inProcess() {
        let router = Router(
            routes: [
                Route(.get, "/later") { request in
                    let reply = request.deferReply { _ in nil }
                    _ = Thread(name: "later") { reply.complete(Self.text("later")) }
                    return .later(reply)
                },
                Route(.get, "/never") { request in
                    .later(request.deferReply(deadlineMilliseconds: 10) { _ in Self.text("enough") })
                },
            ], problem: EchoRoutes.problem)
        #expect(router.respond(to: Request(.get, "/later")).body == Array("later".utf8))
        #expect(router.respond(to: Request(.get, "/never")).body == Array("enough".utf8))
    }

    @Sendable static func text(_ text: String) -> Response {
        Response(status: 200, contentType: "text/plain", body: .bytes(Array(text.utf8)))
    }
}
