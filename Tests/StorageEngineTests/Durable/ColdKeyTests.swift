import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Keys whose records have left memory")
struct ColdKeyTests {
    let disk = MemoryFiles()
    let clock = Clock(frozenAt: 1_700_000_000_000)
    static let memoryTTL: Int64 = 5_000

    private func log(_ harness: DurableHarness) throws -> Log {
        try harness.log { configuration in
            configuration.mode = .hybrid
            configuration.compaction = .keys
            configuration.durability.acknowledgement = .memory
            configuration.hybrid.diskAfterMilliseconds = 1_000
            configuration.hybrid.memoryTTLMilliseconds = Self.memoryTTL
        }
    }

    private func value(_ number: Int) -> String { "\"\(number) \(String(repeating: "v", count: 100))\"" }

    private func leaveMemory(_ harness: DurableHarness) throws {
        clock.advance(milliseconds: Self.memoryTTL + 1)
        try harness.engine.checkpoint()
        harness.engine.maintainDue()
    }

    private func expectTrueLedger(_ log: Log) {
        for kind in MemoryKind.allCases { #expect(log.memoryBytes(kind) == log.walkedBytes()[kind] ?? 0) }
    }

    @Test("take no memory, are found, overwritten and deleted, and come back with a change to memory mode")
    func life() throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try log(harness)
        let keys = 20_000
        for number in 0..<keys { try log.put("key-\(number)", value(number)).wait() }
        let before = log.memoryBytes(.index)
        try leaveMemory(harness)
        #expect(log.statistics()[0].coldKeys == keys)
        #expect(log.memoryBytes(.index) < before / 20, "\(log.memoryBytes(.index)) of \(before)")
        expectTrueLedger(log)
        for number in 0..<keys { #expect(log.get("key-\(number)") == value(number)) }
        #expect(log.get("key-\(keys)") == nil)

        for number in 0..<1000 { try log.put("key-\(number)", "\(number)").wait() }
        for number in 1000..<2000 { try log.delete("key-\(number)").wait() }
        #expect(log.statistics()[0].coldKeys == keys - 2000)
        #expect(log.keyCount == keys - 1000)
        #expect(log.statistics()[0].liveRecords == keys - 1000)
        func expectAll(_ log: Log) {
            for number in 0..<keys {
                let expected = number < 1000 ? "\(number)" : number < 2000 ? nil : value(number)
                #expect(log.get("key-\(number)") == expected)
            }
        }
        expectAll(log)
        try leaveMemory(harness)
        #expect(log.statistics()[0].coldKeys == keys - 1000)
        expectAll(log)
        expectTrueLedger(log)
        harness.engine.stop()

        let again = try FaultRun.start(disk, clock)
        let found = try #require(again.existing())
        #expect(found.statistics()[0].coldKeys == keys - 1000)
        expectAll(found)
        var configuration = found.configuration
        configuration.mode = .memory
        _ = try again.engine.changeMode(ofLog: "log", to: configuration)
        while found.transition != nil { Clock.pause(milliseconds: 1) }
        #expect(found.statistics()[0].coldKeys == 0)
        #expect(again.engine.storageFigures?.keyIndexBytes == 0)
        expectAll(found)
        expectTrueLedger(found)
        again.engine.stop()
    }

    @Test(
        "leave it in time though others expire later, and those that expire are gone from the index on disk")
    func expiry() throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try log(harness)
        for number in 0..<5000 {
            try log.put("key-\(number)", value(number)) { options in
                if number % 2 == 0 { options.expiry = .at(milliseconds: clock.now() + 60_000) }
            }.wait()
        }
        try leaveMemory(harness)
        #expect(log.statistics()[0].coldKeys == 5000)
        clock.advance(milliseconds: 60_000)
        #expect(log.get("key-0") == nil)
        for _ in 0..<10 {
            clock.advance(milliseconds: 2_000)
            harness.engine.maintainDue()
        }
        #expect(log.keyCount == 2500)
        #expect(log.get("key-1") == value(1))
        expectTrueLedger(log)
        harness.engine.stop()
    }

    @Test("stay in memory while the disk has no room for their index, and are found there")
    func noRoom() throws {
        var plan = FaultyFiles.Plan()
        plan.calls = [.scratch]
        plan.at = 1
        plan.code = FileFailure.noSpace("").code
        plan.lasts = true
        let files = FaultyFiles(disk, plan)
        let harness = try FaultRun.start(files, clock)
        let log = try log(harness)
        for number in 0..<20_000 { try log.put("key-\(number)", value(number)).wait() }
        try leaveMemory(harness)
        #expect(files.hasFailed)
        // The smallest tables need no page.
        #expect(log.statistics()[0].coldKeys < 5000)
        for number in 0..<20_000 { #expect(log.get("key-\(number)") == value(number)) }
        harness.engine.stop()
    }
}

@Suite("The two tables of the key index")
struct KeyIndexTablesTests {
    /// Hands out few pages, on disk as it were.
    private final class FewPages: KeyPages {
        private let left: Lock<Int>
        private let pool = SlabPool()
        init(_ count: Int) { left = Lock(count) }
        var areOnDisk: Bool { true }
        func take() -> UnsafeMutableRawPointer? {
            let isLeft = left.withLock { left in
                defer { left = max(0, left - 1) }
                return left > 0
            }
            return isLeft ? pool.take() : nil
        }
        func give(_ page: UnsafeMutableRawPointer) {
            left.withLock { $0 += 1 }
            pool.give(page)
        }
    }

    @Test(
        "hold together what a dictionary holds, whatever moves between them, with pages and without",
        arguments: [3, 1000])
    func model(pageCount: Int) {
        let pages = FewPages(pageCount)
        var index = KeyIndex(pages: SlabPool())
        var model: [UInt64: Int64] = [:]
        var random = SplitMix(state: 7)
        for step in 0..<300_000 {
            let hash = UInt64.random(in: 0..<40_000, using: &random) &* 0x9E37_79B9_7F4A_7C15
            switch (Int.random(in: 0..<6, using: &random), index.first(hash)) {
            case (0, let place?):
                index.remove(at: place)
                model[hash] = nil
            case (1...3, let place?):
                if !index.cool(at: place, pages) { #expect(pageCount == 3) }
            case (4, let place?): index.warm(at: place)
            case (5, let place?):
                index.setOffset(at: place, Int64(step))
                model[hash] = Int64(step)
            case (_, nil):
                index.insert(hash, Int64(step))
                model[hash] = Int64(step)
            default: break
            }
        }
        #expect(index.count == model.count)
        #expect(index.coldCount > 1000 && index.coldCount < index.count)
        #expect(index.allocatedBytes == index.walkedBytes())
        for (hash, offset) in model { #expect(index.first(hash).map { index.offset(at: $0) } == offset) }
    }

    @Test("find keys of equal hashes in both")
    func equalHashes() {
        let pages = FewPages(10)
        var index = KeyIndex(pages: SlabPool())
        for offset in 0..<6 {
            index.insert(42, Int64(offset))
            if offset % 2 == 0, let place = index.first(42) { _ = index.cool(at: place, pages) }
        }
        var found: [Int64] = []
        var place = index.first(42)
        while let current = place {
            found.append(index.offset(at: current))
            place = index.next(after: current, 42)
        }
        #expect(found.sorted() == [0, 1, 2, 3, 4, 5])
    }
}

@Suite("Pages of the key index on disk")
struct DiskKeyPagesTests {
    @Test("lie in files that have no name, hold what is stored, and give their space back")
    func files() throws {
        let directory = TemporaryDirectory()
        try SystemFiles().makeDirectory(directory.path)
        let pages = DiskKeyPages(directory: directory.path, files: SystemFiles(), limit: DiskLimit())
        #expect(pages.take() == nil)
        try pages.prepare(300)
        let taken = (0..<300).compactMap { _ in pages.take() }
        #expect(taken.count == 300)
        #expect(Set(taken).count == 300)
        #expect(pages.fileBytes == 2 * DiskKeyPages.fileBytes)
        for (number, page) in taken.enumerated() { page.storeBytes(of: number, as: Int.self) }
        for (number, page) in taken.enumerated() { #expect(page.load(as: Int.self) == number) }
        #expect(try SystemFiles().list(directory.path).isEmpty)
        for page in taken { pages.give(page) }
        #expect(pages.fileBytes == 0)
    }

    @Test("are refused beyond the limit of the disk, which is said once")
    func limit() throws {
        let full = DiskLimit()
        full.set { _ in false }
        let pages = DiskKeyPages(directory: "/", files: MemoryFiles(), limit: full)
        #expect(throws: FileFailure.self) { try pages.prepare(1) }
        try pages.prepare(1)
        #expect(pages.take() == nil)
    }
}
