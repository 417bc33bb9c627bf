import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("What gives way when memory is short")
struct EvictionTests {
    private static let value = String(repeating: "v", count: 100)
    private static let limit = 4 << 20

    private func log(
        _ harness: EngineHarness, _ eviction: LogConfiguration.Eviction,
        _ change: (inout LogConfiguration) -> Void = { _ in }
    ) throws -> Log {
        try harness.log {
            $0.compaction = .keys
            $0.memory.eviction = eviction
            $0.memory.maxBytes = Self.limit
            change(&$0)
        }
    }

    private func live(_ log: Log, _ count: Int) -> [Int] {
        (0..<count).filter { log.get("key-\($0)") != nil }
    }

    @Test("fifo keeps exactly the newest, and the limit", arguments: [1, 3])
    func fifo(partitions: Int) throws {
        let harness = EngineHarness()
        let log = try log(harness, .fifo) { $0.partitions = partitions }
        let count = 40_000
        for key in 0..<count {
            if key % 64 == 0 { harness.clock.advance(milliseconds: 1) }
            _ = try log.put("key-\(key)", Self.value)
            #expect(log.account.totalBytes <= Self.limit + (64 << 10))
        }
        let kept = live(log, count)
        // Partitions differ by the batch that is being given up.
        #expect(kept.count > 15_000)
        if partitions == 1 { #expect(kept == Array((count - kept.count)..<count)) }
        #expect(log.statistics().reduce(0) { $0 + $1.evicted } == count - kept.count)
        #expect(log.statistics().reduce(0) { $0 + $1.trimmed } == 0)
    }

    @Test("lru keeps what is used and drops what is not")
    func lru() throws {
        let harness = EngineHarness()
        let log = try log(harness, .lru)
        for key in 0..<2000 { _ = try log.put("hot-\(key)", Self.value) }
        for key in 0..<40_000 {
            _ = try log.put("cold-\(key)", Self.value)
            _ = log.get("hot-\(key % 2000)")
            if key % 1000 == 0 { harness.engine.maintainDue() }
        }
        #expect((0..<2000).allSatisfy { log.get("hot-\($0)") == Self.value })
        #expect((0..<1000).allSatisfy { log.get("cold-\($0)") == nil })
        #expect(log.account.totalBytes <= Self.limit)
        #expect(log.keyCount > 12_000)
    }

    @Test("ttl drops the nearest deadlines, and never a record without one")
    func ttl() throws {
        let harness = EngineHarness()
        let log = try log(harness, .ttl)
        for key in 0..<5000 { _ = try log.put("stays-\(key)", Self.value) }
        let count = 40_000
        let start = harness.clock.now() + 1_000_000
        // Scattered, so that no batch holds only near ones.
        let deadlines = (0..<count).map { start + Int64($0 * 7919 % count) * 100 }
        for key in 0..<count {
            _ = try log.put("key-\(key)", Self.value) { $0.expiry = .at(milliseconds: deadlines[key]) }
            if key % 500 == 0 { harness.engine.maintainDue() }
        }
        let kept = live(log, count)
        #expect((0..<5000).allSatisfy { log.get("stays-\($0)") != nil })
        #expect(kept.count > 8000)
        // Later puts with a near deadline may be there while they wait for their turn: look at what had its turn.
        harness.engine.maintainDue()
        let line = live(log, count / 2).map { deadlines[$0] }.min() ?? 0
        let wronglyGone = (0..<count / 2).filter { log.get("key-\($0)") == nil && deadlines[$0] > line }
        #expect(wronglyGone.isEmpty)
        #expect(log.account.totalBytes <= Self.limit)
    }

    @Test("ttl refuses a write when nothing has a deadline, and has taken nothing")
    func ttlWithoutDeadlines() throws {
        let harness = EngineHarness()
        let log = try log(harness, .ttl)
        var count = 0
        #expect(throws: EngineError.self) {
            while true {
                _ = try log.put("key-\(count)", Self.value)
                count += 1
            }
        }
        #expect(live(log, count).count == count)
    }

    @Test("priority never drops a higher class while a lower one is there")
    func priority() throws {
        let harness = EngineHarness()
        let log = try log(harness, .priority)
        let count = 40_000
        func priority(_ key: Int) -> UInt8 { UInt8(key * 31 % 5) }
        for key in 0..<count {
            _ = try log.put("key-\(key)", Self.value) { $0.priority = priority(key) }
            if key % 100 == 0 { harness.engine.maintainDue() }
            if key % 10_000 == 9_999 {
                let kept = Set(live(log, key + 1))
                let highestGone = (0...key).filter { !kept.contains($0) }.map(priority).max()
                let lowestKept = kept.filter { $0 < key - 2000 }.map(priority).min()
                if let highestGone, let lowestKept { #expect(lowestKept >= highestGone) }
            }
        }
        #expect(log.keyCount > 12_000)
        #expect(log.account.totalBytes <= Self.limit)
    }

    @Test("reject keeps everything, names the budget, and goes on after deletes")
    func reject() throws {
        let harness = EngineHarness()
        let log = try log(harness, .reject)
        var count = 0
        var failure: EngineError?
        while failure == nil {
            do { _ = try log.put("key-\(count)", Self.value) } catch { failure = error as? EngineError }
            if failure == nil { count += 1 }
        }
        guard case .memoryFull("log", Self.limit, let used, let needed) = failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        // The index may have grown by a page since the last batch was opened.
        #expect(used <= Self.limit + SlabPool.indexSlabBytes && used + needed > Self.limit)
        #expect(live(log, count).count == count)
        // One in five: no batch is mostly dead, and yet their memory comes back.
        for key in stride(from: 0, to: count, by: 5) { _ = try log.delete("key-\(key)") }
        harness.clock.advance(milliseconds: 100)
        for key in 0..<count / 10 { _ = try log.put("again-\(key)", Self.value) }
        #expect(log.account.totalBytes <= Self.limit + (64 << 10))
    }

    @Test("a full server takes from the log furthest above its share, and never from one that rejects")
    func shares() throws {
        let harness = EngineHarness(maxMemoryBytes: 16 << 20)
        let kept = try harness.log("kept") { $0.compaction = .keys }
        for key in 0..<20_000 { _ = try kept.put("key-\(key)", Self.value) }
        let small = try harness.log("small") {
            $0.compaction = .keys
            $0.memory.eviction = .fifo
        }
        for key in 0..<5000 { _ = try small.put("key-\(key)", Self.value) }
        let large = try harness.log("large") {
            $0.compaction = .keys
            $0.memory.eviction = .lru
        }
        for key in 0..<150_000 {
            _ = try large.put("key-\(key)", Self.value)
            if key % 1000 == 0 { harness.engine.maintainDue() }
        }
        #expect(live(kept, 20_000).count == 20_000)
        #expect(live(small, 5000).count == 5000)
        #expect(harness.engine.memoryUsedBytes <= 16 << 20)
        #expect(large.keyCount > 30_000)
    }

    @Test("what could not fit is refused at once, and nothing is evicted for it")
    func tooLarge() throws {
        let harness = EngineHarness()
        let log = try log(harness, .fifo)
        for key in 0..<5000 { _ = try log.put("key-\(key)", Self.value) }
        #expect(throws: EngineError.self) { try log.put("huge", String(repeating: "h", count: 5 << 20)) }
        #expect(throws: EngineError.self) { try log.checkCanFit(bytes: 5 << 20) }
        try log.checkCanFit(bytes: 3 << 20)
        #expect(live(log, 5000).count == 5000)
        _ = try log.put("large", String(repeating: "h", count: 2 << 20))
        #expect(log.get("large") != nil)
    }

    @Test("expired and evicted keys leave tombstones that say why, once")
    func tombstones() throws {
        let harness = EngineHarness()
        let log = try log(harness, .fifo) { $0.tombstones = true }
        _ = try log.put("gone", "v") { $0.expiry = .at(milliseconds: harness.clock.now() + 10) }
        _ = try log.put("stays", "v")
        harness.pass(milliseconds: 10)
        let records = try log.read(partition: 0, from: .firstKept, limit: 10, maxBytes: .max, clamps: false)
            .records
        #expect(records.map(\.type) == [.json, .expired])
        #expect(records.last?.key.map { String(decoding: $0, as: UTF8.self) } == "gone")
        // A tail that keeps up sees each of them; compaction takes them away some time later.
        var next = Offset(3)
        var gone: [String] = []
        for key in 0..<40_000 {
            _ = try log.put("key-\(key)", Self.value)
            guard key % 100 == 99 else { continue }
            harness.clock.advance(milliseconds: 10)
            let read = try log.read(
                partition: 0, from: .offset(next), limit: .max, maxBytes: .max, clamps: true)
            next = read.next
            for record in read.records where record.type.isTombstone {
                #expect(record.type == .evicted)
                gone.append(String(decoding: record.key ?? [], as: UTF8.self))
            }
        }
        #expect(gone.count == Set(gone).count)
        #expect(Set(gone) == Set((0..<40_000).map { "key-\($0)" } + ["stays"]).filter { log.get($0) == nil })
        #expect(log.account.totalBytes <= Self.limit + (64 << 10))
    }

    @Test(
        "a small log of large values always has room for the next one",
        arguments: [LogConfiguration.Eviction.fifo, .lru, .ttl, .priority])
    func largeValues(eviction: LogConfiguration.Eviction) throws {
        let harness = EngineHarness()
        let log = try log(harness, eviction) { $0.memory.maxBytes = 256 << 10 }
        for key in 0..<200 {
            _ = try log.put("key-\(key)", String(repeating: "v", count: 30_000)) {
                $0.expiry = .at(milliseconds: harness.clock.now() + 1_000_000 + Int64(key))
                $0.priority = UInt8(key % 3)
            }
        }
        #expect(log.account.totalBytes <= 256 << 10)
    }

    @Test("compaction ends, though copies of what lies beside the dead would be larger")
    func compactionEnds() throws {
        let harness = EngineHarness()
        let log = try harness.log { $0.compaction = .keys }
        for round in 0..<40 {
            // A small batch of one key again and again, then full ones of tiny values, which a delta column makes larger.
            for _ in 0..<60 { _ = try log.put("again", "\(round)") }
            for key in 0..<400 { _ = try log.put("\(round)-\(key)", "1") }
        }
        let partition = log.partitions[0]
        for share in [
            Partition.Eagerness.idle, Partition.Eagerness.overWatermark, Partition.Eagerness.full, 2,
        ] {
            var runs = 0
            while partition.rewriteWorstRun(keptShareMax: share) > 0 { runs += 1 }
            #expect(runs < 1000)
        }
        #expect(log.get("again") == "39")
        #expect(log.keyCount == 16_001)
        for kind in MemoryKind.allCases { #expect(log.memoryBytes(kind) == log.walkedBytes()[kind] ?? 0) }
    }

    @Test("a log that falls silent keeps its tombstones for a second, and no longer")
    func quietTombstones() throws {
        let harness = EngineHarness()
        let log = try harness.log {
            $0.compaction = .keys
            $0.tombstones = true
        }
        let deadline = harness.clock.now() + 1000
        for key in 0..<20_000 {
            _ = try log.put("key-\(key)", Self.value) { $0.expiry = .at(milliseconds: deadline) }
        }
        harness.pass(milliseconds: 1000)
        #expect(log.statistics()[0].records == 20_000)
        for _ in 0..<20 { harness.pass(milliseconds: 200) }
        #expect(log.memoryBytes(.payload) <= 2 << 20)
    }

    @Test("the ledger equals what a walk over everything finds")
    func walk() throws {
        let harness = EngineHarness()
        for (index, eviction) in LogConfiguration.Eviction.allCases.enumerated() where eviction != .reject {
            let log = try harness.log("log-\(index)") {
                $0.compaction = index % 2 == 0 ? .keys : .none
                $0.memory.eviction = eviction
                $0.memory.maxBytes = 2 << 20
                $0.partitions = 1 + index
                $0.tombstones = index % 2 == 0
            }
            for key in 0..<30_000 {
                _ = try log.put("key-\(key % 9000)", Self.value) {
                    $0.expiry = .at(milliseconds: harness.clock.now() + 500 + Int64(key % 1000))
                    $0.priority = UInt8(key % 7)
                }
                if key % 3 == 0 { _ = log.get("key-\(key / 2)") }
                if key % 5 == 0 { _ = try? log.delete("key-\(key / 3)") }  // It may be gone already.
                if key % 100 == 0 { harness.pass(milliseconds: 1) }
            }
            for kind in MemoryKind.allCases { #expect(log.memoryBytes(kind) == log.walkedBytes()[kind] ?? 0) }
        }
    }
}
