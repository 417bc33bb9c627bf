import HTTPClient
import Testing

@testable import ObjectStorage

@Suite("When S3 is asked again")
struct S3RetryTests {
    @Test("the wait has a bound that doubles up to a maximum, and a random part of it is taken")
    func jitter() {
        let policy = RetryPolicy()
        var bounds: [Int] = []
        for failures in 1...5 {
            let delay = policy.delayMilliseconds(
                failures: failures, elapsedMilliseconds: 0, retryAfterSeconds: nil,
                random: { range in
                    #expect(range.lowerBound == 0)
                    bounds.append(range.upperBound)
                    return range.upperBound / 3
                })
            #expect(delay == bounds.last.map { $0 / 3 })
        }
        #expect(bounds == [200, 400, 800, 1600, 3200])
        var late = policy
        late.attemptsMax = 100
        #expect(
            late.delayMilliseconds(
                failures: 90, elapsedMilliseconds: 0, retryAfterSeconds: nil, random: { $0.upperBound })
                == 20_000)
    }

    @Test("attempts, time and what a server may ask for have bounds")
    func bounds() {
        let policy = RetryPolicy()
        func delay(_ failures: Int, _ elapsed: Int, _ retryAfter: Int?) -> Int? {
            policy.delayMilliseconds(
                failures: failures, elapsedMilliseconds: elapsed, retryAfterSeconds: retryAfter,
                random: { _ in 7 })
        }
        #expect(delay(5, 0, nil) == 7)
        #expect(delay(6, 0, nil) == nil)
        #expect(delay(1, 179_993, nil) == 7)
        #expect(delay(1, 179_994, nil) == nil)
        #expect(delay(1, 0, 3) == 3000)
        #expect(delay(1, 0, 0) == 7)
        #expect(delay(1, 0, .min) == 7)
        #expect(delay(1, 0, 61) == nil)
        #expect(delay(1, 150_000, 60) == nil)
    }

    @Test("trouble that may pass is gone through", arguments: [408, 429, 500, 502, 503, 504])
    func passing(status: Int) throws {
        let server = ScriptedServer { _, number in
            number < 4 ? .init(status: status) : .init(fields: [("Content-Length", "5")])
        }
        #expect(try server.store().size(of: "k") == 5)
        #expect(server.methods.count == 4)
        #expect(server.waitedMilliseconds >= 200 + 400 + 800)
    }

    @Test("a server's wish to be left alone is heeded")
    func retryAfter() throws {
        let server = ScriptedServer { _, number in
            number < 2
                ? .init(status: 503, fields: [("Retry-After", "9")])
                : .init(fields: [("Content-Length", "5")])
        }
        #expect(try server.store().size(of: "k") == 5)
        #expect(server.waitedMilliseconds >= 9000)
    }

    @Test("what will not change is not tried again", arguments: [400, 401, 403, 405, 409, 411, 301, 501])
    func final(status: Int) throws {
        let server = ScriptedServer { _, _ in ScriptedServer.error(status, "Whatever") }
        let store = try server.store()
        #expect(throws: ObjectStoreFailure.self) { try store.put("k", ObjectSource(bytes: [1])) }
        #expect(server.methods == ["PUT"])
        #expect(server.waitedMilliseconds == 0)
    }

    @Test("a refusal of bytes that were damaged on their way is tried again")
    func damaged() throws {
        let server = ScriptedServer { _, _ in ScriptedServer.error(400, "BadDigest") }
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try server.store().put("k", ObjectSource(bytes: [1]))
        }
        #expect(failure?.kind == .unavailable)
        #expect(server.methods.count == 6)
    }

    @Test("a connection that breaks is tried again, one that proves nothing is not")
    func connections() throws {
        let broken = ScriptedServer { _, number in
            number < 3
                ? .init(failure: HTTPClientFailure("broke", kind: .connection))
                : .init(fields: [("Content-Length", "1")])
        }
        #expect(try broken.store().size(of: "k") == 1)
        let untrusted = ScriptedServer { _, _ in .init(failure: HTTPClientFailure("forged", kind: .untrusted))
        }
        let failure = #expect(throws: ObjectStoreFailure.self) { try untrusted.store().size(of: "k") }
        #expect(failure?.kind == .refused)
        #expect(untrusted.methods.count == 1)
    }

    @Test("a source that cannot be read is the source's failure, and nothing is sent")
    func source() throws {
        struct Broken: Error {}
        let server = ScriptedServer { _, _ in .init() }
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try server.store().put("k", ObjectSource(length: 10) { _, _ in throw Broken() })
        }
        #expect(failure?.kind == .source && failure?.cause is Broken)
        #expect(server.methods.isEmpty)
    }

    @Test("cancelling ends the wait between two attempts")
    func cancelled() throws {
        let server = ScriptedServer { _, _ in .init(status: 503, fields: [("Retry-After", "60")]) }
        let store = try server.store().cancelled { server.waitedMilliseconds >= 1000 }
        let failure = #expect(throws: ObjectStoreFailure.self) { try store.size(of: "k") }
        #expect(failure?.kind == .cancelled)
        #expect(server.waitedMilliseconds == 1000)
    }

    @Test("no message repeats a secret, whatever the server says")
    func secrets() throws {
        let server = ScriptedServer { _, _ in
            ScriptedServer.error(403, "Odd", "you said s3cret+/ and TOKEN/1")
        }
        let store = try server.store { $0.sessionToken = "TOKEN/1" }
        let failure = try #require(throws: ObjectStoreFailure.self) { try store.delete("k") }
        #expect(failure.description.contains("you said … and …"))
        #expect(!"\(failure) \(String(reflecting: failure))".contains("s3cret"))
        #expect(!"\(store.configuration) \(String(reflecting: store.configuration))".contains("s3cret"))
    }
}
