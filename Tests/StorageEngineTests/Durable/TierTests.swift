import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Hybrid logs between memory and disk")
struct TierTests {
    let disk = MemoryFiles()
    let clock = Clock(frozenAt: 1_700_000_000_000)
    static let diskAfter: Int64 = 1_000
    static let memoryTTL: Int64 = 5_000

    private func start(_ files: MemoryFiles) throws -> DurableHarness { try FaultRun.start(files, clock) }

    private func log(_ harness: DurableHarness) throws -> Log {
        try harness.log { configuration in
            configuration.mode = .hybrid
            configuration.compaction = .keys
            configuration.durability.acknowledgement = .memory
            configuration.hybrid.diskAfterMilliseconds = Self.diskAfter
            configuration.hybrid.memoryTTLMilliseconds = Self.memoryTTL
        }
    }

    /// What a server finds that starts after the power has gone now.
    private func afterCrash<Result>(_ body: (Log) throws -> Result) throws -> Result {
        let again = try start(disk.afterPowerCut(seed: 1))
        defer { again.engine.stop() }
        return try body(try #require(again.existing()))
    }

    @Test("what compaction has copied into memory of what had left it leaves it again")
    func copiesLeave() throws {
        let harness = try start(disk)
        let log = try log(harness)
        for number in 0..<4000 {
            try log.put("key-\(number % 100)", "\"\(number) \(String(repeating: "v", count: 500))\"").wait()
        }
        clock.advance(milliseconds: Self.memoryTTL + 1)
        try harness.engine.checkpoint()
        harness.engine.maintainDue()
        let whole = log.memoryBytes(.payload)
        #expect(whole > 10_000)
        // Nothing is asked of the log, and nothing is written to it: maintenance comes by as it wants to.
        for _ in 0..<10 {
            clock.advance(milliseconds: Self.memoryTTL + 1)
            if log.needsCheckpoint(now: clock.now()) { try harness.engine.checkpoint() }
            harness.engine.maintainDue()
        }
        #expect(log.statistics()[0].records == 100)
        #expect(log.memoryBytes(.payload) < 10_000, "\(log.memoryBytes(.payload)) of \(whole)")
        harness.engine.stop()
    }

    @Test(
        "a key on disk that was overwritten in memory is what the disk has after a crash", arguments: [1, 3])
    func overwritten(times: Int) throws {
        let harness = try start(disk)
        let log = try log(harness)
        try log.put("key", "\"disk\"").wait()
        clock.advance(milliseconds: Self.diskAfter + 1)
        try harness.engine.checkpoint()
        for number in 0..<times { try log.put("key", "\"hot \(number)\"").wait() }
        // It must not say that the row on disk is dead.
        try harness.engine.checkpoint()
        #expect(try afterCrash { $0.get("key") } == "\"disk\"")
        clock.advance(milliseconds: Self.diskAfter + 1)
        try harness.engine.checkpoint()
        #expect(try afterCrash { $0.get("key") } == "\"hot \(times - 1)\"")
        harness.engine.stop()
    }

    @Test("a key on disk that was deleted in memory is there after a crash, until the delete is on disk")
    func deleted() throws {
        let harness = try start(disk)
        let log = try log(harness)
        try log.put("key", "1").wait()
        clock.advance(milliseconds: Self.diskAfter + 1)
        try harness.engine.checkpoint()
        try log.delete("key").wait()
        try harness.engine.checkpoint()
        #expect(try afterCrash { $0.get("key") } == "1")
        clock.advance(milliseconds: Self.diskAfter + 1)
        try harness.engine.checkpoint()
        #expect(try afterCrash { $0.get("key") } == nil)
        harness.engine.stop()
    }

    @Test("compaction of what is in memory does not take from the disk the only version that a crash leaves")
    func compacted() throws {
        let harness = try start(disk)
        let log = try log(harness)
        for number in 0..<500 { try log.put("key-\(number)", "\"disk\"").wait() }
        clock.advance(milliseconds: Self.diskAfter + 1)
        try harness.engine.checkpoint()
        for round in 0..<4 {
            for number in 0..<500 { try log.put("key-\(number)", "\(round)").wait() }
            for _ in 0..<5 { harness.engine.maintainDue() }
            try harness.engine.checkpoint()
        }
        try afterCrash { log in
            for number in 0..<500 { #expect(log.get("key-\(number)") != nil) }
        }
        harness.engine.stop()
        let again = try start(disk)
        let after = try #require(again.existing())
        for number in 0..<500 { #expect(after.get("key-\(number)") == "3") }
        again.engine.stop()
    }

    @Test("what is old enough is read from disk, and all is as it was")
    func leavesMemory() throws {
        let harness = try start(disk)
        let log = try log(harness)
        let value = "\"" + String(repeating: "v", count: 1000) + "\""
        for number in 0..<300 { try log.put("key-\(number)", value).wait() }
        for number in 0..<100 { try log.put("key-\(number)", "\"new\"").wait() }
        clock.advance(milliseconds: Self.memoryTTL + 1)
        try harness.engine.checkpoint()
        let before = log.statistics()[0]
        for _ in 0..<3 {
            clock.advance(milliseconds: 2_000)
            harness.engine.maintainDue()
        }
        let after = log.statistics()[0]
        #expect(after.memoryBytes < before.memoryBytes / 2, "\(after.memoryBytes) of \(before.memoryBytes)")
        #expect(after.diskBytes > 180 * 1000)
        #expect(after.liveRecords == 300)
        for number in 0..<300 { #expect(log.get("key-\(number)") == (number < 100 ? "\"new\"" : value)) }
        #expect(try log.values().count >= 300)
        #expect(try log.keys(prefix: [], startAfter: nil, limit: 1000).records.count == 300)
        try log.put("key-5", "\"again\"").wait()
        #expect(log.get("key-5") == "\"again\"")
        harness.engine.stop()
        let again = try start(disk)
        #expect(again.existing()?.get("key-5") == "\"again\"")
        #expect(again.existing()?.keyCount == 300)
        again.engine.stop()
    }

    @Test(
        "a full memory sends what is coldest to the disk",
        arguments: [LogConfiguration.Mode.persistent, .hybrid])
    func spills(mode: LogConfiguration.Mode) throws {
        let harness = try start(disk)
        let log = try harness.log { configuration in
            configuration.mode = mode
            configuration.compaction = .keys
            configuration.durability.acknowledgement = mode == .persistent ? .disk : .memory
            configuration.memory.maxBytes = 1 << 20
        }
        let value = "\"" + String(repeating: "v", count: 4000) + "\""
        for number in 0..<1000 {
            try log.put("key-\(number)", value).wait()
            harness.engine.maintainDue()
        }
        #expect(log.keyCount == 1000)
        for number in 0..<1000 { #expect(log.get("key-\(number)") == value) }
        #expect(log.statistics()[0].memoryBytes < 1 << 20)
        harness.engine.stop()
    }

    @Test("a clock that is set back keeps nothing from the disk, and nothing in memory")
    func clockSetBack() throws {
        let harness = try start(disk)
        let log = try log(harness)
        for number in 0..<100 { try log.put("key-\(number)", "1").wait() }
        harness.engine.maintainDue()
        clock.advance(milliseconds: -3_600_000)
        harness.engine.maintainDue()
        try harness.engine.checkpoint()
        #expect(try afterCrash { $0.keyCount } == 100)
        clock.advance(milliseconds: Self.memoryTTL + 1)
        harness.engine.maintainDue()
        #expect(log.statistics()[0].coldKeys == 100)
        harness.engine.stop()
    }

    @Test("what compaction copies from disk into memory goes there again, though nothing is written any more")
    func copies() throws {
        let harness = try start(disk)
        let log = try log(harness)
        for round in 0..<20 {
            for number in 0..<100 { try log.put("key-\(number)", "\(round)").wait() }
            clock.advance(milliseconds: Self.memoryTTL + 1)
            try harness.engine.checkpoint()
            harness.engine.maintainDue()
        }
        // A checkpoint that is due is written by its thread.
        for _ in 0..<400 where log.statistics()[0].coldKeys < 100 {
            Clock.pause(milliseconds: 50)
            clock.advance(milliseconds: Self.memoryTTL + 1)
            harness.engine.maintainDue()
        }
        #expect(log.statistics()[0].coldKeys == 100)
        harness.engine.stop()
    }

    @Test("a log that goes back to memory has all of it there")
    func backToMemory() throws {
        let harness = try start(disk)
        let log = try log(harness)
        let value = "\"" + String(repeating: "v", count: 1000) + "\""
        for number in 0..<300 { try log.put("key-\(number)", value).wait() }
        clock.advance(milliseconds: Self.memoryTTL + 1)
        try harness.engine.checkpoint()
        harness.engine.maintainDue()
        #expect(log.statistics()[0].memoryBytes < 100_000)
        var configuration = log.configuration
        configuration.mode = .memory
        _ = try harness.engine.changeMode(ofLog: "log", to: configuration)
        while log.transition != nil { Clock.pause(milliseconds: 1) }
        #expect(log.configuration.mode == .memory)
        #expect(log.statistics()[0].memoryBytes > 300_000)
        #expect(log.statistics()[0].diskBytes == 0)
        for number in 0..<300 { #expect(log.get("key-\(number)") == value) }
        harness.engine.stop()
    }

    @Test("what has not moved is gone after a crash, and then the epoch is new; an orderly end writes all")
    func epochs() throws {
        let harness = try start(disk)
        let log = try log(harness)
        try log.put("key", "1").wait()
        #expect(try afterCrash { $0.get("key") } == nil)
        #expect(try afterCrash { $0.epoch } != log.epoch)
        harness.engine.stop()
        let again = try start(disk)
        #expect(again.existing()?.get("key") == "1")
        #expect(again.existing()?.epoch == log.epoch)
        again.engine.stop()
    }
}
