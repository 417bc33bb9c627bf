import Platform
import StorageEngine
import Support
import Testing

@Suite("Keys: conditions, counters, deadlines")
struct KeyTests {
    @Test("a revision is the record's place and matches no other epoch")
    func revisions() throws {
        let harness = EngineHarness()
        let log = try harness.log()
        let first = try log.put("k", "1").value().revision
        #expect(Revision(parsing: first.text) == first)
        let foreign = Revision(
            partition: 0, offset: first.offset, epoch: Epoch(rawValue: first.epoch.rawValue ^ 1))
        #expect(throws: EngineError.preconditionFailed(current: first)) {
            try log.put("k", "2") { $0.condition = .matchesAny([foreign]) }
        }
        _ = try log.put("k", "2") { $0.condition = .matchesAny([foreign, first]) }
        #expect(log.get("k") == "2")
    }

    @Test(
        "texts that are not exactly a revision are none",
        arguments: [
            "", "0-0", "0-0-0", "00-1-0000abcd", "0-1-0000ABCD", "-1-1-0000abcd", "0-+1-0000abcd",
            "0-1-0000abcd-", "256-0-0000abcd",
        ])
    func malformedRevisions(_ text: String) {
        #expect(Revision(parsing: text) == nil)
    }

    @Test("each condition holds and fails as RFC 9110 has it")
    func conditions() throws {
        let log = try EngineHarness().log()
        #expect(throws: EngineError.preconditionFailed(current: nil)) {
            try log.put("k", "v") { $0.condition = .exists }
        }
        let revision = try log.put("k", "v") { $0.condition = .isAbsent }.value().revision
        #expect(throws: EngineError.preconditionFailed(current: revision)) {
            try log.put("k", "v") { $0.condition = .isAbsent }
        }
        #expect(throws: EngineError.preconditionFailed(current: revision)) {
            try log.put("k", "v") { $0.condition = .matchesNone([revision]) }
        }
        #expect(throws: EngineError.keyNotFound) { try log.delete("nobody") }
        #expect(throws: EngineError.preconditionFailed(current: nil)) {
            try log.delete("nobody", if: .matchesAny([revision]))
        }
        _ = try log.delete("k", if: .matchesAny([revision]))
        #expect(log.get("k") == nil)
    }

    @Test("a delete leaves a tombstone for who reads the log")
    func tombstone() throws {
        let log = try EngineHarness().log()
        _ = try log.put("k", "v")
        _ = try log.delete("k")
        let records = try log.read(partition: 0, from: .firstKept, limit: 9, maxBytes: .max, clamps: false)
            .records
        #expect(records.map(\.type) == [.json, .deleted])
        #expect(records[1].key == Array("k".utf8))
        #expect(try log.put("k", "again").value().isNew)
    }

    @Test("a counter starts at zero, adds, and refuses what is no integer or too large")
    func counters() throws {
        let log = try EngineHarness().log()
        #expect(try log.increment("c").value().value == 1)
        #expect(try log.increment("c") { $0.by = -11 }.value().value == -10)
        #expect(log.get("c") == "-10")
        _ = try log.put("c", "\(Int64.max)")
        #expect(throws: EngineError.integerOverflow) { try log.increment("c") }
        _ = try log.put("c", "\(Int64.min)")
        #expect(throws: EngineError.integerOverflow) { try log.increment("c") { $0.by = -1 } }
        for text in ["1.5", "\"1\"", "", "-", "01", "1e3", "99999999999999999999", "null"] {
            _ = try log.put("c", text)
            #expect(throws: EngineError.self) { try log.increment("c") }
            #expect(log.get("c") == text)
        }
    }

    @Test("a counter's deadline is set on creation, and again only when asked")
    func counterDeadlines() throws {
        let harness = EngineHarness()
        let log = try harness.log()
        let first = try log.increment("c") { $0.ttlMilliseconds = 100 }.value().put.deadline
        #expect(first == harness.clock.now() + 100)
        harness.clock.advance(milliseconds: 50)
        #expect(try log.increment("c") { $0.ttlMilliseconds = 100 }.value().put.deadline == first)
        let refreshed = try log.increment("c") {
            $0.ttlMilliseconds = 100
            $0.refreshesExpiry = true
        }
        #expect(try refreshed.value().put.deadline == harness.clock.now() + 100)
        harness.clock.advance(milliseconds: 100)
        #expect(try log.increment("c").value().value == 1)
    }

    @Test("ttl: the log's default, keep, none, and touch as a new revision of the same value")
    func deadlines() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.ttlMilliseconds = 1000 }
        let now = harness.clock.now()
        #expect(try log.put("k", "v").value().deadline == now + 1000)
        #expect(try log.put("k", "w") { $0.expiry = .at(milliseconds: now + 5) }.value().deadline == now + 5)
        #expect(try log.put("k", "x") { $0.expiry = .keep }.value().deadline == now + 5)
        #expect(try log.put("k", "y") { $0.expiry = .never }.value().deadline == Deadline.never)
        let touched = try log.touch(
            key: Array("k".utf8).span.bytes, expiry: .at(milliseconds: now + 7), condition: .none,
            acknowledgement: nil)
        #expect(try touched.value().deadline == now + 7)
        #expect(try touched.value().revision.offset == Offset(4))
        #expect(log.get("k") == "y")
        harness.clock.advance(milliseconds: 7)
        #expect(log.get("k") == nil)
    }

    @Test("type, priority, extras and arrival stay with a record through batches that first had none")
    func optionalColumns() throws {
        let log = try EngineHarness().log()
        _ = try log.put("plain", "1")
        let extras = RecordExtras(contentType: "image/x-icon", headers: [.init(name: "a", value: "b")])
        _ = try log.put("rich", "2") {
            $0.type = .other
            $0.priority = 9
            $0.extras = extras.encoded()
        }
        _ = try log.put("plain again", "3")
        let records = try log.read(partition: 0, from: .firstKept, limit: 9, maxBytes: .max, clamps: false)
            .records
        #expect(records.map(\.type) == [.json, .other, .json])
        #expect(records.map(\.priority) == [0, 9, 0])
        #expect(records.map(\.extras) == [RecordExtras(), extras, RecordExtras()])
    }

    @Test("64 threads race on a revision: each version has one winner")
    func race() throws {
        let log = try EngineHarness().log()
        _ = try log.put("k", "0")
        let wins = Counter()
        let threads = (0..<64).map { _ in
            Thread(name: "racer") {
                for _ in 0..<20 {
                    guard let record = try? log.get(key: Array("k".utf8).span.bytes),
                        let value = Int(String(decoding: record.value, as: UTF8.self))
                    else { continue }
                    let revision = Revision(partition: 0, offset: record.offset, epoch: log.epoch)
                    let outcome = try? log.put("k", "\(value + 1)") { $0.condition = .matchesAny([revision]) }
                    if outcome != nil { wins.increment() }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(log.get("k") == "\(wins.value)")
        #expect(wins.value > 0)
    }
}
