import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("What leaves, and what stays where it was")
struct ReclaimTests {
    private func headers(_ log: Log) -> [BatchHeader] {
        log.partitions[0].state.withLock { state in state.list.headers.map(\.pointee) }
    }

    @Test("rewriting keeps offsets, drops the dead and frees memory")
    func rewriting() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.compaction = .keys }
        let filler = String(repeating: "v", count: 500)
        for round in 0..<60 {
            for key in 0..<200 { _ = try log.put("key-\(key)", "\(round)-\(key)-\(filler)") }
            _ = try log.append(["unkeyed-\(round)"])
        }
        let before = log.memoryBytes(.payload)
        harness.pass(milliseconds: 1)
        #expect(log.memoryBytes(.payload) < before / 3)
        #expect(headers(log).contains { $0.deltas != nil })
        #expect((0..<200).allSatisfy { log.get("key-\($0)") == "59-\($0)-\(filler)" })
        let records = try log.read(partition: 0, from: .firstKept, limit: .max, maxBytes: .max, clamps: false)
            .records
        let unkeyed = records.filter { !$0.hasKey }.map { Int($0.offset.rawValue) }
        #expect(unkeyed == (1...60).map { $0 * 201 - 1 })
        for record in records {
            let again = try log.read(
                partition: 0, from: .offset(record.offset), limit: 1, maxBytes: 1, clamps: false)
            #expect(again.records.first?.offset == record.offset)
        }
    }

    @Test("a row that dies while it is copied is dead in the copy")
    func dyingDuringRewrite() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.compaction = .keys }
        let filler = String(repeating: "v", count: 300)
        for key in 0..<400 { _ = try log.put("key-\(key)", filler) }
        for key in 0..<300 { _ = try log.put("key-\(key)", "new") }
        // The views hold the bitmaps: what changes now changes clones.
        let views = log.cut().views
        let heldBits = views.map { $0.header.newest.map { ObjectIdentifier($0) } }
        for key in 300..<350 { _ = try log.delete("key-\(key)") }
        harness.engine.maintainDue()
        for key in 350..<360 { _ = try log.delete("key-\(key)") }
        #expect((0..<300).allSatisfy { log.get("key-\($0)") == "new" })
        #expect((300..<360).allSatisfy { log.get("key-\($0)") == nil })
        #expect((360..<400).allSatisfy { log.get("key-\($0)") == filler })
        #expect(views.map { $0.header.newest.map { ObjectIdentifier($0) } } == heldBits)
        let seen = views.reduce(0) { sum, view in
            sum + view.rows.filter { view.header.isNewest($0) }.count
        }
        #expect(seen == 400)
    }

    @Test("expired rows are invisible at their deadline and give their memory back")
    func expiry() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.compaction = .keys }
        let deadline = harness.clock.now() + 1000
        for key in 0..<5000 {
            _ = try log.put("key-\(key)", "value") { $0.expiry = .at(milliseconds: deadline) }
        }
        harness.clock.advance(milliseconds: 999)
        #expect(log.get("key-1") == "value")
        harness.clock.advance(milliseconds: 1)
        #expect(log.get("key-1") == nil)
        #expect(try log.keys(prefix: [], startAfter: nil, limit: 10).records.isEmpty)
        #expect(log.keyCount == 5000)
        harness.pass(milliseconds: 0)
        #expect(log.keyCount == 0)
        #expect(log.statistics()[0].expired == 5000)
        #expect(log.statistics()[0].records == 0)
        #expect(log.memoryBytes(.payload) <= 1 << 20)
    }

    @Test("a clock set back does not revive what has expired and was swept")
    func clockSetBack() throws {
        let harness = EngineHarness()
        let log = try harness.log()
        _ = try log.put("k", "v") { $0.expiry = .at(milliseconds: harness.clock.now() + 10) }
        harness.pass(milliseconds: 10)
        harness.clock.advance(milliseconds: -3_600_000)
        #expect(log.get("k") == nil)
    }

    @Test("trim hides at once, forgets the keys, and frees the batches")
    func trim() throws {
        let log = try EngineHarness().log()
        for key in 0..<3000 { _ = try log.put("key-\(key)", String(repeating: "v", count: 100)) }
        try log.trim(partition: 0, before: Offset(2999))
        #expect(log.keyCount == 1)
        #expect(log.get("key-5") == nil)
        #expect(log.get("key-2999") != nil)
        #expect(log.statistics()[0].records == 1)
        #expect(throws: EngineError.offsetTrimmed(first: Offset(2999))) { try log.values(.offset(.zero)) }
        #expect(throws: EngineError.offsetOutOfRange(tail: Offset(3000))) {
            try log.trim(partition: 0, before: Offset(3001))
        }
        try log.trim(partition: 0, before: Offset(3000))
        #expect(log.memoryBytes(.payload) == 0)
        _ = try log.append(["after"])
        #expect(try log.values() == ["after"])
    }

    @Test("max_records keeps exactly the last ones, keys included")
    func maxRecords() throws {
        let log = try EngineHarness().log { $0.retention.maxRecords = 10 }
        for key in 0..<1000 { _ = try log.put("key-\(key)", "v\(key)") }
        #expect(try log.values() == (990..<1000).map { "v\($0)" })
        #expect(log.get("key-989") == nil)
        #expect(log.statistics()[0].records == 10)
    }

    @Test("max_bytes bounds what a log holds")
    func maxBytes() throws {
        let log = try EngineHarness().log { $0.retention.maxBytes = 1 << 20 }
        for _ in 0..<20_000 { _ = try log.append([String(repeating: "v", count: 500)]) }
        #expect(log.memoryBytes(.payload) <= (1 << 20) + (128 << 10))
        #expect(try log.values().count > 1000)
    }

    @Test("max_age_ms counts from arrival, whatever timestamp the sender gave")
    func maxAge() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.retention.maxAgeMilliseconds = 1000 }
        var draft = Draft.of(["from the future"])
        draft.timestamps = [harness.clock.now() + 1_000_000]
        _ = try log.append(draft, AppendOptions())
        harness.clock.advance(milliseconds: 600)
        _ = try log.append(["later"])
        harness.pass(milliseconds: 500)
        #expect(try log.values() == ["later"])
        harness.pass(milliseconds: 1000)
        #expect(try log.values().isEmpty)
    }

    @Test("max_age_ms is kept though a record expires only later")
    func maxAgeBeforeDeadline() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.retention.maxAgeMilliseconds = 1000 }
        try log.put("key", "1") { $0.expiry = .at(milliseconds: harness.clock.now() + 60_000) }.wait()
        harness.pass(milliseconds: 2500)
        #expect(try log.values().isEmpty)
    }

    @Test("a value at the memory limit is refused, deletes and trims still work, and there is room again")
    func memoryFull() throws {
        let harness = EngineHarness(maxMemoryBytes: 4 << 20)
        let log = try harness.log { $0.compaction = .keys }
        var stored = 0
        let value = String(repeating: "v", count: 10_000)
        #expect(throws: EngineError.self) {
            while true {
                _ = try log.put("key-\(stored)", value)
                stored += 1
            }
        }
        #expect(stored > 250)
        #expect(harness.engine.memoryUsedBytes <= 4 << 20)
        #expect(throws: EngineError.self) { try log.append([String(repeating: value, count: 300)]) }
        for key in 0..<stored { _ = try log.delete("key-\(key)") }
        harness.pass(milliseconds: 1)
        _ = try log.put("again", value)
        #expect(log.get("again") == value)
    }

    @Test("a record larger than a batch gets a batch of its own")
    func large() throws {
        let log = try EngineHarness().log()
        let value = String(repeating: "v", count: 3 << 20)
        _ = try log.append(["small", value, "small again"])
        #expect(try log.values() == ["small", value, "small again"])
    }

    @Test("everything charged is released with the log")
    func ledger() throws {
        let harness = EngineHarness()
        for round in 0..<3 {
            let log = try harness.log("log-\(round)") { $0.partitions = 3 }
            for key in 0..<2000 {
                _ = try log.put("key-\(key)", "value") { $0.expiry = .at(milliseconds: Deadline.never - 1) }
            }
            #expect(harness.engine.memoryUsedBytes > 0)
            try harness.engine.deleteLog(named: "log-\(round)")
            harness.clock.advance(milliseconds: 1 << 60)
            harness.engine.maintainDue()
            harness.clock.advance(milliseconds: -(1 << 60))
        }
        #expect(harness.engine.memoryUsedBytes == 0)
    }
}
