import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("What is gone stays gone")
struct DepartedKeyTests {
    enum Manner: String, Sendable, CaseIterable { case deleted, expired, trimmed, retention }

    struct Case: Sendable, CustomTestStringConvertible {
        let manner: Manner
        /// A checkpoint after the first version, the second, and the departure.
        let checkpoints: [Bool]
        let sweeps: Bool
        var testDescription: String { "\(manner.rawValue), checkpoints \(checkpoints), swept \(sweeps)" }
    }

    static let cases = Manner.allCases.flatMap { manner in
        (0..<8).flatMap { bits in
            [false, true].map { sweeps in
                Case(manner: manner, checkpoints: (0..<3).map { bits >> $0 & 1 == 1 }, sweeps: sweeps)
            }
        }
    }

    let disk = MemoryFiles()
    let clock = Clock(frozenAt: 1_700_000_000_000)

    @Test("no older version of a key comes back after a restart or a crash", arguments: cases)
    func departed(_ setting: Case) throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try harness.log { configuration in
            configuration.compaction = .keys
            if setting.manner == .retention { configuration.retention.maxRecords = 3 }
        }
        func checkpoint(_ number: Int) throws {
            if setting.checkpoints[number] { try harness.engine.checkpoint() }
        }
        try log.put("key", "1").wait()
        try checkpoint(0)
        try log.put("key", "2") { options in
            if setting.manner == .expired { options.expiry = .at(milliseconds: clock.now() + 100) }
        }.wait()
        try checkpoint(1)
        switch setting.manner {
        case .deleted: try log.delete("key").wait()
        case .expired: clock.advance(milliseconds: 5_000)
        case .trimmed: try log.trim(partition: 0, before: Offset(2)).wait()
        case .retention: try log.append(["1", "2", "3", "4"]).wait()
        }
        if setting.sweeps { for _ in 0..<3 { harness.engine.maintainDue() } }
        #expect(log.get("key") == nil)
        try checkpoint(2)
        try log.put("other", "3").wait()
        let killed = disk.clone()
        harness.engine.stop()
        for state in [killed, disk] {
            for start in 0..<2 {
                let again = try FaultRun.start(state, clock)
                let log = try #require(again.existing())
                #expect(log.get("key") == nil, "start \(start)")
                #expect(log.get("other") == "3")
                again.engine.maintainDue()
                if start == 0 { try again.engine.checkpoint() }
                again.engine.stop()
            }
        }
    }

    @Test("a clock that is set back does not bring back what had expired", arguments: [false, true])
    func clockSetBack(checkpoints: Bool) throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try harness.log { $0.compaction = .keys }
        try log.put("key", "1") { $0.expiry = .at(milliseconds: clock.now() + 1000) }.wait()
        clock.advance(milliseconds: 3_600_000)
        #expect(log.get("key") == nil)
        try log.put("other", "2").wait()
        if checkpoints { try harness.engine.checkpoint() }
        harness.engine.stop()
        clock.advance(milliseconds: -2 * 3_600_000)
        let again = try FaultRun.start(disk, clock)
        #expect(again.existing()?.get("key") == nil)
        #expect(again.existing()?.get("other") == "2")
        again.engine.stop()
    }

    @Test("a later clock that was set right lets nothing expire that was written behind it", arguments: 0..<8)
    func clockSetRight(bits: Int) throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try harness.log { $0.compaction = .keys }
        clock.advance(milliseconds: 3_600_000)
        try log.put("other", "1").wait()
        if bits & 1 == 1 { try harness.engine.checkpoint() }
        clock.advance(milliseconds: -3_600_000)
        try log.put("key", "2") { $0.expiry = .at(milliseconds: clock.now() + 60_000) }.wait()
        if bits & 2 == 2 { try harness.engine.checkpoint() }
        let killed = disk.clone()
        harness.engine.stop()
        for _ in 0..<2 {
            let state = bits & 4 == 4 ? killed : disk
            let again = try FaultRun.start(state, clock)
            #expect(again.existing()?.get("key") == "2")
            again.engine.stop()
        }
    }

    @Test("frames that a loss of power has taken leave no time behind by which later ones are judged")
    func lostFrames() throws {
        let harness = try FaultRun.start(disk, clock)
        _ = try harness.log { $0.compaction = .keys }
        harness.engine.stop()
        let path = FaultRun.path + "/last-run"
        let content = ByteBuffer(try #require(disk.content(of: path)))
        var run = try #require(LastRun(decoding: content.bytes))
        run.wasOrderly = false
        run.seen = SeenTime(time: clock.now() + 3_600_000, upTo: LSN(rawValue: 1_000_000))
        disk.put(path, run.encode().array)
        let second = try FaultRun.start(disk, clock)
        let log = try #require(second.existing())
        try log.put("key", "2") { $0.expiry = .at(milliseconds: clock.now() + 60_000) }.wait()
        let killed = disk.clone()
        second.engine.stop()
        let again = try FaultRun.start(killed, clock)
        #expect(again.existing()?.get("key") == "2")
        again.engine.stop()
    }

    @Test("of a log in memory the definition survives and the data does not; its epoch is new")
    func memoryLogs() throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try harness.log { configuration in
            configuration.mode = .memory
            configuration.durability.acknowledgement = .memory
            configuration.partitions = 4
            configuration.ttlMilliseconds = 5000
        }
        try log.append(["1"]).wait()
        let (epoch, configuration) = (log.epoch, log.configuration)
        for checkpoints in [false, true] {
            if checkpoints { try harness.engine.checkpoint() }
            try harness.restart()
            let again = try #require(harness.existing())
            #expect(again.configuration == configuration)
            #expect(again.epoch != epoch)
            #expect(try again.values() == [])
        }
        harness.engine.stop()
    }
}
