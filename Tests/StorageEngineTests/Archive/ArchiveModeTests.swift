import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Changes of mode of a log with an archive")
struct ArchiveModeTests {
    let run = ArchiveRun()

    private func change(_ harness: DurableHarness, _ log: Log, to mode: LogConfiguration.Mode) throws {
        var configuration = log.configuration
        configuration.mode = mode
        configuration.durability.acknowledgement = mode == .persistent ? .disk : .memory
        _ = try harness.engine.changeMode(ofLog: "log", to: configuration)
        while log.isChangingMode { Clock.pause(milliseconds: 1) }
    }

    private func expectAll(_ log: Log, _ label: String = "") {
        for number in 0..<100 {
            #expect(log.get("key-\(number)") == ArchiveRun.value(number), "\(label) \(number)")
        }
    }

    @Test(
        "from any mode to any other all is there, before and after a restart",
        arguments: LogConfiguration.Mode.allCases, LogConfiguration.Mode.allCases)
    func directions(from: LogConfiguration.Mode, to: LogConfiguration.Mode) throws {
        if from == to { return }
        let harness = try run.start()
        let log = try run.log(harness) { configuration in
            configuration.mode = from
            configuration.durability.acknowledgement = from == .persistent ? .disk : .memory
        }
        for number in 0..<100 { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
        run.age(harness)
        #expect((log.archivedBatches > 0) == (from == .hybrid))
        try change(harness, log, to: to)
        #expect(log.transition == nil && log.configuration.mode == to)
        expectAll(log, "changed")
        #expect(to == .hybrid || log.archivedBatches == 0)
        run.age(harness)
        #expect((log.archivedBatches > 0) == (to == .hybrid))
        expectAll(log, "aged")
        for _ in 0..<2 { harness.engine.archiveDue() }
        #expect(run.store.keys.isEmpty == (to != .hybrid))
        harness.engine.stop()
        try harness.reopen()
        let again = try #require(harness.existing())
        if to == .memory { #expect(again.keyCount == 0) } else { expectAll(again, "again") }
        harness.engine.stop()
    }

    @Test("a change away from hybrid fails while the store is down, and the log goes on as it was")
    func storeDown() throws {
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        for number in 0..<100 { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
        run.age(harness)
        run.store.setDown(true)
        for mode in [LogConfiguration.Mode.memory, .persistent] {
            try change(harness, log, to: mode)
            #expect(log.transition?.failure != nil && log.configuration.mode == .hybrid)
        }
        run.store.setDown(false)
        expectAll(log)
        try log.put("more", "1").wait()
        run.age(harness)
        #expect(log.get("more") == "1" && log.archivedBatches > 0)
        try change(harness, log, to: .persistent)
        #expect(log.transition == nil && log.archivedBatches == 0)
        expectAll(log)
    }

    @Test(
        "killed in the middle of a change, a log is one that has everything",
        arguments: [1, 2, 3] as [UInt64])
    func killed(seed: UInt64) throws {
        var number = 1
        while true {
            let run = ArchiveRun()
            let harness = try run.start()
            let log = try run.log(harness)
            for number in 0..<100 { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
            run.age(harness)
            harness.engine.stop()
            let files = FaultyFiles(run.disk)
            let second = try run.start(files)
            var plan = FaultyFiles.Plan()
            plan.at = number
            plan.kills = true
            files.replace(plan)
            if let log = second.existing() { try? change(second, log, to: .persistent) }
            let isDone = files.count < number
            files.kill()
            second.engine.stop()
            let again = try ArchiveRun(
                disk: run.disk.afterPowerCut(seed: seed &+ UInt64(number)), store: run.store, clock: run.clock
            ).start()
            expectAll(try #require(again.existing()), "call \(number)")
            again.engine.stop()
            if isDone { break }
            number += 1
        }
    }
}
