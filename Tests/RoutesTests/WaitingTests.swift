import HTTP
import JSON
import Platform
import StorageEngine
import Testing

@Suite("Writes and reads that wait")
struct WaitingTests {
    let log = HeldCommitLog()
    let api: API
    let key = "/v1/logs/slow/keys/a"

    init() { api = API(engine: log.configuration) }

    private func pending(
        _ method: Method, _ target: String, _ body: String = "", _ fields: [String: String] = [:]
    ) -> Pending<CollectedResponse> {
        Pending { [api] in api.call(method, target, body, fields) }
    }

    @Test("a write is answered when its entry is durable, and seen from then on")
    func waits() {
        let put = pending(.put, key, "1")
        log.decide { entry in
            #expect(api.call(.get, key).status == 404)
            entry.commit()
        }
        #expect(put.wait()?.status == 201)
        #expect(put.wait()?.field("Pyralog-Ack") == "disk")
        #expect(api.call(.get, key).text == "1")
    }

    @Test("a failed commit is 503 whose outcome is unknown, later writes find the log read-only")
    func fails() {
        let put = pending(.put, key, "1")
        log.decide { $0.fail("the disk is gone") }
        let answer = put.wait()
        #expect(answer?.status == 503)
        #expect(answer?.code == "log_read_only")
        #expect(answer?.json["applied"] == .string("unknown"))
        let next = api.call(.put, key, "2")
        #expect(next.code == "log_read_only")
        #expect(next.json["applied"] == .string("no"))
    }

    @Test("a patch that loses a race behind the commit log is merged again")
    func patchAgain() {
        let first = pending(.put, key, #"{"a":1}"#)
        log.commitNext()
        _ = first.wait()
        let put = pending(.put, key, #"{"b":2}"#)
        log.decide { entry in
            let patch = pending(.patch, key, #"{"c":3}"#)
            entry.commit()
            log.commitNext()
            #expect(patch.wait()?.status == 200)
        }
        #expect(put.wait()?.status == 200)
        #expect(api.call(.get, key).json == .parse(#"{"b":2,"c":3}"#))
    }

    @Test("a read waits until what it names is visible")
    func after() {
        let created = pending(.put, key, "1")
        log.commitNext()
        let epoch = created.wait()?.revision.split(separator: "-").last ?? ""
        let read = pending(.get, "\(key)?after=0-1-\(epoch)")
        let listed = pending(.get, "/v1/logs/slow/keys?values=true&after=slow/0-1-\(epoch)")
        let put = pending(.put, key, "2")
        log.commitNext()
        #expect(put.wait()?.revision == "0-1-\(epoch)")
        #expect(read.wait()?.text == "2")
        #expect(listed.wait()?.json["keys"]?[0]?["value"] == .integer(2))
    }

    @Test("HEAD never waits")
    func head() {
        let created = pending(.put, key, "1")
        log.commitNext()
        let epoch = created.wait()?.revision.split(separator: "-").last ?? ""
        #expect(api.call(.head, "\(key)?after=0-5-\(epoch)").status == 503)
    }

    @Test("a position that cannot be waited for is refused at once")
    func badAfter() {
        let created = pending(.put, key, "1")
        log.commitNext()
        let revision = created.wait()?.revision ?? ""
        let epoch = revision.split(separator: "-").last ?? ""
        #expect(api.call(.get, "\(key)?after=\(revision)").text == "1")
        #expect(api.call(.get, "\(key)?after=slow/\(revision),\(revision)").text == "1")
        let old = api.call(.get, "\(key)?after=0-0-00000000")
        #expect(old.status == 409)
        #expect(old.code == "epoch_changed")
        #expect(old.json["current_epoch"] == .string(String(epoch)))
        for bad in ["", "0-0", "0-0-xyz", "\(revision),", "1-0-\(epoch)", "0--1-\(epoch)", "a/b/\(revision)"]
        {
            #expect(api.call(.get, "\(key)?after=\(bad)").code == "invalid_argument")
        }
        #expect(api.call(.get, "\(key)?after=none/\(revision)").code == "log_not_found")
    }

    @Test("a concurrent twin waits for the first answer and gets it too")
    func twins() {
        let fields = ["Idempotency-Key": "one"]
        let first = pending(.post, key + ":increment", "", fields)
        log.decide { entry in
            let twin = pending(.post, key + ":increment", "", fields)
            let mismatch = api.call(.post, key + ":increment", #"{"by": 2}"#, fields)
            #expect(mismatch.code == "idempotency_mismatch")
            entry.commit()
            let answers = [first.wait(), twin.wait()]
            #expect(answers.allSatisfy { $0?.json["value"] == .integer(1) })
        }
        #expect(api.call(.get, key).text == "1")
    }

    @Test("a twin of a request that failed does the work itself")
    func twinOfFailure() {
        let fields = ["Idempotency-Key": "one"]
        let first = pending(.post, key + ":increment", "", fields)
        log.decide { entry in
            let twin = pending(.post, key + ":increment", "", fields)
            entry.fail("the disk is gone")
            #expect(first.wait()?.json["applied"] == .string("unknown"))
            #expect(twin.wait()?.code == "log_read_only")
        }
    }
}
