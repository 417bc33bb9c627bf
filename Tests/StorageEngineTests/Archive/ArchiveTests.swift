import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("What has moved to the archive")
struct ArchiveTests {
    let run = ArchiveRun()

    private func filled(_ harness: DurableHarness, keys: Int = 50) throws -> Log {
        let log = try run.log(harness)
        for number in 0..<keys { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
        run.age(harness)
        return log
    }

    @Test("is read by key, by offset and in lists, and its values are on this machine no more")
    func reads() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try filled(harness)
        let batches = log.archivedBatches
        #expect(batches > 1 && run.store.keys.count == 1)
        #expect(run.isInStore(ArchiveRun.value(7)) && !run.isOnDisk(ArchiveRun.value(7)))
        #expect(run.store.gets == 0)
        for number in 0..<50 { #expect(log.get("key-\(number)") == ArchiveRun.value(number)) }
        #expect(run.store.gets == batches)
        #expect(try log.values() == (0..<50).map(ArchiveRun.value))
        #expect(try log.values(.offset(Offset(20)), limit: 3) == (20..<23).map(ArchiveRun.value))
        #expect(try log.values(.last(2)) == [48, 49].map(ArchiveRun.value))
        let listing = try log.keys(prefix: Array("key-4".utf8), startAfter: nil, limit: 3)
        #expect(
            listing.hasMore
                && listing.records.map { $0.value.count }
                    == [4, 40, 41].map {
                        ArchiveRun.value($0).utf8.count
                    }
        )
    }

    @Test("is there after a restart, and after the power has gone")
    func restarts() throws {
        let harness = try run.start()
        _ = try filled(harness)
        for disk in [run.disk.afterPowerCut(seed: 3), run.disk.clone()] {
            let again = try ArchiveRun(disk: disk, store: run.store, clock: run.clock).start()
            let log = try #require(again.existing())
            #expect(log.archivedBatches > 0 && log.keyCount == 50)
            for number in 0..<50 { #expect(log.get("key-\(number)") == ArchiveRun.value(number)) }
            again.engine.stop()
        }
        harness.engine.stop()
        try harness.reopen()
        let log = try #require(harness.existing())
        for number in 0..<50 { #expect(log.get("key-\(number)") == ArchiveRun.value(number)) }
        harness.engine.archiveDue()
        #expect(run.store.keys.count == 1)
        harness.engine.stop()
    }

    @Test("keeps headers, content types, deadlines, types and priorities")
    func columns() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        let extras = RecordExtras(contentType: "text/own", headers: [.init(name: "name", value: "v")])
        let deadline = run.clock.now() + 1_000_000
        try log.put("a", "text") { options in
            options.extras = extras.encoded()
            options.type = .other
            options.priority = 9
            options.expiry = .at(milliseconds: deadline)
        }.wait()
        run.age(harness)
        #expect(log.archivedBatches == 1)
        let found = try log.get(key: Array("a".utf8).span.bytes)
        let record = try #require(found)
        #expect(record.extras == extras && record.priority == 9 && record.deadline == deadline)
        #expect(record.type == .other)
        #expect(String(decoding: record.value, as: UTF8.self) == "text")
        let bare = try log.get(key: Array("a".utf8).span.bytes, archived: .leftOut)
        #expect(bare?.value.count == 0 && bare?.deadline == deadline && bare?.key == Array("a".utf8))
        #expect(throws: Never.self) { try log.get(key: Array("a".utf8).span.bytes, archived: .fetched) }
    }

    @Test("a thread that must not wait is told so")
    func refused() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try filled(harness)
        #expect(throws: EngineError.archived) {
            try log.get(key: Array("key-1".utf8).span.bytes, archived: .refused)
        }
        #expect(throws: EngineError.archived) {
            try log.read(
                partition: 0, from: .firstKept, limit: 1, maxBytes: 1, clamps: false, archived: .refused)
        }
        #expect(run.store.gets == 0)
    }

    @Test("can be overwritten, deleted, touched, incremented, and used in transactions")
    func writes() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        for number in 0..<50 { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
        try log.put("counter", "41").wait()
        run.age(harness)
        try log.put("key-1", "1").wait()
        try log.delete("key-2").wait()
        #expect(run.store.gets == 0)
        #expect(try log.increment("counter").wait().value == 42)
        let touched = run.clock.now() + 5_000
        try log.touch(
            key: Array("key-3".utf8).span.bytes, expiry: .at(milliseconds: touched), condition: .exists,
            acknowledgement: nil
        ).wait()
        var transaction = Transaction()
        transaction.requirements = [
            .init(log: "log", key: Array("key-4".utf8), test: .value { bytes, _ in bytes.count > 300 })
        ]
        transaction.then = [
            .init(log: "log", .get(key: Array("key-5".utf8))),
            .init(log: "log", .delete(key: Array("key-6".utf8))),
        ]
        let result = try harness.engine.transact(transaction).wait()
        #expect(result.isCommitted)
        guard case .found(let record, _) = result.items[0] else { throw NoArchive() }
        #expect(String(decoding: record.value, as: UTF8.self) == ArchiveRun.value(5))
        #expect(log.get("key-1") == "1" && log.get("key-2") == nil && log.get("key-6") == nil)
        #expect(log.get("key-3") == ArchiveRun.value(3) && log.get("counter") == "42")
        run.clock.advance(milliseconds: 5_001)
        #expect(log.get("key-3") == nil)
        #expect(log.keyCount >= 47)
    }

    @Test("expires when its deadline passes, and its object goes when nothing of it is left")
    func expires() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        let deadline = run.clock.now() + 60_000
        for number in 0..<20 {
            try log.put("key-\(number)", ArchiveRun.value(number)) { $0.expiry = .at(milliseconds: deadline) }
                .wait()
        }
        run.age(harness)
        #expect(log.archivedBatches > 0 && log.get("key-3") == ArchiveRun.value(3))
        run.clock.advance(milliseconds: 60_000)
        #expect(log.get("key-3") == nil)
        for _ in 0..<3 {
            run.clock.advance(milliseconds: 1_000)
            harness.engine.maintainDue()
        }
        for _ in 0..<2 { harness.engine.archiveDue() }
        #expect(log.archivedBatches == 0 && run.store.keys.isEmpty)
    }

    @Test("goes from the store after a trim, by retention, by overwriting and with its log", arguments: 0..<4)
    func leaves(way: Int) throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try filled(harness)
        let other = try run.log(harness, "other")
        try other.put("stays", ArchiveRun.value(1)).wait()
        run.age(harness)
        #expect(run.store.keys.count == 2)
        switch way {
        case 0: try log.trim(partition: 0, before: Offset(50)).wait()
        case 1:
            var configuration = log.configuration
            configuration.retention.maxAgeMilliseconds = 1
            _ = try harness.engine.updateLog(named: "log", configuration)
        case 2: for number in 0..<50 { try log.put("key-\(number)", "1").wait() }
        default: try harness.engine.deleteLog(named: "log").wait()
        }
        for _ in 0..<3 {
            run.clock.advance(milliseconds: 1_100)
            try harness.engine.checkpoint()
            harness.engine.maintainDue()
        }
        if way == 3 {
            // The test's own reference is one that reads.
            #expect(run.store.keys.count == 2)
        }
        for _ in 0..<2 { harness.engine.archiveDue() }
        if way != 3 { #expect(run.store.keys.count == 1) }
        #expect(other.get("stays") == ArchiveRun.value(1))
        withExtendedLifetime(log) {}
    }

    @Test("an object is deleted once nobody reads it, and a delete that fails is tried again")
    func deleted() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        do { _ = try filled(harness) }
        try harness.engine.deleteLog(named: "log").wait()
        var plan = MemoryArchive.Plan()
        plan.at = 1
        plan.calls = [.delete]
        run.store.replace(plan)
        harness.engine.archiveDue()
        #expect(run.store.keys.count == 1 && harness.engine.archiveFigures.deleteFailures == 1)
        harness.engine.archiveDue()
        #expect(run.store.keys.isEmpty && harness.engine.archiveFigures.deletedObjects == 1)
    }

    @Test("a batch is fetched once at a time, whoever waits for it")
    func oneFetch() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try filled(harness)
        run.store.slow(getMilliseconds: 100)
        let threads = (0..<8).map { number in
            Thread(name: "reader") { #expect(log.get("key-\(number)") == ArchiveRun.value(number)) }
        }
        for thread in threads { thread.join() }
        #expect(run.store.gets == 1 && harness.engine.archiveFigures.fetches == 1)
    }

    @Test("what is kept of it is bounded, and is let go first when memory is short")
    func bounded() throws {
        let harness = try run.start { $0.maxMemoryBytes = 32 << 20 }
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        let value = "\"" + String(repeating: "x", count: 200_000) + "\""
        for round in 0..<8 {
            for number in 0..<3 { try log.put("key-\(round)-\(number)", value).wait() }
            run.age(harness)
        }
        #expect(log.archivedBatches >= 8)
        for _ in 0..<2 {
            for round in 0..<8 { #expect(log.get("key-\(round)-1") == value) }
            #expect(harness.engine.archiveFigures.cacheBytes <= 2 << 20)
            #expect(harness.engine.memory.bytes(.columns) <= 3 << 20)
        }
        let cached = harness.engine.archiveFigures.cacheBytes
        #expect(cached > 0)
        // A page of all of it ends where no more can be held, and goes on from there.
        var start = Offset(0)
        var records = 0
        while true {
            let page = try log.read(
                partition: 0, from: .offset(start), limit: 1000, maxBytes: .max, clamps: false)
            if page.records.isEmpty { break }
            records += page.records.count
            start = page.next
            #expect(harness.engine.memory.bytes(.columns) <= 7 << 20)
        }
        #expect(records == 24)
    }

    @Test("the directory is sound, and is the smaller for it")
    func check() throws {
        let harness = try run.start()
        _ = try filled(harness, keys: 200)
        let segments = try #require(harness.engine.storageFigures).segmentBytes
        #expect(segments < 200 * 150, "\(segments)")
        harness.engine.stop()
        let directory = try DataDirectory(
            FaultRun.path, files: run.disk, walFileBytes: FaultRun.walFileBytes)
        let check = try DirectoryCheck(directory)
        #expect(check.damage.isEmpty, "\(check.damage)")
        #expect(check.batches > 0 && check.records == 200)
        directory.release()
    }

    @Test("a log is told why it cannot have an archive")
    func configuration() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        do {
            _ = try run.log(harness) { $0.hybrid.s3Archive = "store:unknown" }
            Issue.record("it was accepted")
        } catch EngineError.invalidConfiguration(let field, _) {
            #expect(field == "hybrid.s3_archive")
        }
        #expect(throws: EngineError.self) { try run.log(harness) { $0.hybrid.s3AfterMilliseconds = 0 } }
        var configuration = LogConfiguration()
        ArchiveRun.configure(&configuration)
        let plain = EngineHarness()
        #expect(throws: EngineError.self) { try plain.engine.createLog(named: "log", configuration) }
    }

    @Test("without an age a day passes first; it can be changed, and so can the location")
    func changes() throws {
        let second = MemoryArchive("store:two")
        let run = ArchiveRun(others: ["store:two": second])
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness) { $0.hybrid.s3AfterMilliseconds = nil }
        try log.put("first", ArchiveRun.value(1)).wait()
        run.age(harness)
        #expect(log.archivedBatches == 0)
        run.clock.advance(milliseconds: 86_400_000)
        run.age(harness)
        #expect(log.archivedBatches == 1)
        var changed = log.configuration
        changed.hybrid.s3Archive = "store:two"
        changed.hybrid.s3AfterMilliseconds = ArchiveRun.archiveAfter
        _ = try harness.engine.updateLog(named: "log", changed)
        try log.put("second", ArchiveRun.value(2)).wait()
        run.age(harness)
        #expect(run.store.keys.count == 1 && second.keys.count == 1)
        changed.hybrid.s3Archive = nil
        _ = try harness.engine.updateLog(named: "log", changed)
        try log.put("third", ArchiveRun.value(3)).wait()
        run.age(harness)
        #expect(log.archivedBatches == 2)
        for (number, key) in ["first", "second", "third"].enumerated() {
            #expect(log.get(key) == ArchiveRun.value(number + 1))
        }
    }
}
