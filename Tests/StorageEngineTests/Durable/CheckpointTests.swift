import Platform
import StorageEngine
import Support
import Testing

@Suite("Checkpoints")
struct CheckpointTests {
    let disk = MemoryFiles()
    let clock = Clock(frozenAt: 1_700_000_000_000)

    @Test("while several threads write, what is written is there after a crash at any of them")
    func whileWriting() throws {
        let harness = try FaultRun.start(disk, clock)
        let logs = try (0..<3).map { number in
            try harness.log("log-\(number)") { configuration in
                configuration.compaction = .keys
                configuration.partitions = number + 1
            }
        }
        let rounds = 60 * FaultRounds.factor
        let running = Lock(4)
        let threads = (0..<4).map { writer in
            Thread(name: "writer") {
                for round in 0..<rounds {
                    // What goes wrong is seen in the comparison.
                    for log in logs {
                        _ = try? log.put("key-\(writer)-\(round % 20)", "\(round)").wait()
                        _ = try? log.increment("counter").wait()
                    }
                }
                running.withLock { $0 -= 1 }
            }
        }
        while running.withLock({ $0 }) > 0 { try harness.engine.checkpoint() }
        for thread in threads { thread.join() }
        let killed = disk.clone()
        let cut = disk.afterPowerCut(seed: 1)
        harness.engine.stop()
        for state in [killed, cut, disk] {
            let again = try FaultRun.start(state, clock)
            for number in 0..<3 {
                let log = try #require(again.existing("log-\(number)"))
                #expect(log.get("counter") == "\(4 * rounds)")
                #expect(log.keyCount == 4 * min(20, rounds) + 1)
                for writer in 0..<4 {
                    for key in 0..<min(20, rounds) {
                        let last = (0..<rounds).last { $0 % 20 == key } ?? 0
                        #expect(log.get("key-\(writer)-\(key)") == "\(last)")
                    }
                }
            }
            again.engine.stop()
        }
    }

    @Test(
        "a large segment is synchronised as it grows: the write-ahead log waits behind what the disk was given"
    )
    func pace() throws {
        let files = FaultyFiles(disk)
        let harness = try FaultRun.start(files, clock)
        let log = try harness.log()
        let value = "\"" + String(repeating: "v", count: 500_000) + "\""
        for number in 0..<40 { try log.put("key-\(number)", value).wait() }
        var plan = FaultyFiles.Plan()
        plan.path = ".seg"
        plan.calls = [.synchronise]
        files.replace(plan)
        try harness.engine.checkpoint()
        // 20 MB, 4 MiB at a time.
        #expect(disk.paths.filter { $0.hasSuffix(".seg") }.count == 1)
        #expect(files.count >= 4)
        harness.engine.stop()
    }

    @Test("many of them over keys that are written again and again keep little on disk")
    func sparseSegments() throws {
        let harness = try FaultRun.start(disk, clock)
        let log = try harness.log { $0.compaction = .keys }
        let filler = String(repeating: "v", count: 500)
        for round in 0..<40 {
            for key in 0..<30 where round == 0 || key % (round % 5 + 1) == 0 {
                try log.put("key-\(key)", "\"\(round) \(filler)\"").wait()
            }
            harness.engine.maintainDue()
            try harness.engine.checkpoint()
        }
        let before = (0..<30).map { log.get("key-\($0)") }
        let bytes = disk.paths.filter { $0.hasSuffix(".seg") }.compactMap { disk.content(of: $0)?.count }
            .reduce(0, +)
        // Alive are some 16 KiB.
        #expect(bytes < 400_000, "\(bytes) bytes of segments")
        let killed = disk.clone()
        harness.engine.stop()
        for state in [killed, disk] {
            let again = try FaultRun.start(state, clock)
            let log = try #require(again.existing())
            #expect((0..<30).map { log.get("key-\($0)") } == before)
            again.engine.stop()
        }
    }

    @Test("ten thousand logs with a record each are there after it, a restart and a loss of power")
    func manyLogs() throws {
        let harness = try FaultRun.start(disk, clock)
        let count = 10_000
        var outcomes: [Outcome<PutResult>] = []
        for number in 0..<count {
            let log = try harness.engine.logForWriting(
                named: "log-\(number)", compaction: .keys, defaults: Self.persistent)
            outcomes.append(try log.put("key", "\(number)"))
        }
        for outcome in outcomes { try outcome.wait() }
        try harness.engine.checkpoint()
        for number in 0..<10 { try harness.existing("log-\(number)")?.put("late", "1").wait() }
        let powerless = try FaultRun.start(disk.afterPowerCut(seed: 1), clock)
        try harness.restart()
        for life in [harness, powerless] {
            for number in 0..<count {
                let log = try #require(life.existing("log-\(number)"))
                #expect(log.get("key") == "\(number)")
                #expect((log.get("late") != nil) == (number < 10))
            }
            life.engine.stop()
        }
    }

    private static let persistent: LogConfiguration = {
        var configuration = LogConfiguration()
        configuration.mode = .persistent
        return configuration
    }()

    @Test("one that fails is tried again, and nothing that is needed is removed", arguments: 1...12)
    func failing(call: Int) throws {
        let files = FaultyFiles(disk)
        let harness = try FaultRun.start(files, clock)
        let log = try harness.log { $0.compaction = .keys }
        for number in 0..<20 { try log.put("key-\(number)", "\(number)").wait() }
        try harness.engine.checkpoint()
        for number in 0..<5 { try log.put("key-\(number)", "\"again\"").wait() }
        var plan = FaultyFiles.Plan()
        plan.at = call
        files.replace(plan)
        // That it fails is the point.
        try? harness.engine.checkpoint()
        let killed = disk.clone()
        let cuts = (1...4).map { disk.afterPowerCut(seed: $0) }
        files.lift()
        // The write-ahead log itself may have met it.
        try? harness.engine.checkpoint()
        harness.engine.stop()
        for state in [killed, disk] + cuts {
            let again = try FaultRun.start(state, clock)
            let log = try #require(again.existing())
            for number in 0..<20 {
                #expect(log.get("key-\(number)") == (number < 5 ? "\"again\"" : "\(number)"))
            }
            again.engine.stop()
        }
    }
}
