import Glibc
import Platform
import StorageEngine
import Support
import Testing

@Suite("A full disk")
struct FullDiskTests {
    let disk = MemoryFiles()
    let files: FaultyFiles
    let harness: DurableHarness

    init() throws {
        files = FaultyFiles(disk)
        harness = try FaultRun.start(files, Clock(frozenAt: 1_700_000_000_000))
    }

    private func fill() {
        var plan = FaultyFiles.Plan()
        plan.at = 1
        plan.code = ENOSPC
        plan.lasts = true
        plan.onlyGrowing = true
        files.replace(plan)
    }

    /// Writes until it is refused. - Returns: how many were taken.
    private func write(_ log: Log) throws -> Int {
        let value = String(repeating: "v", count: 1000)
        for number in 0..<200 {
            do {
                try log.put("key-\(number)", "\"\(value)\"").wait()
            } catch EngineError.diskFull {
                return number
            }
            // The thread that makes files ahead comes to it.
            if number > 12 { Clock.pause(milliseconds: 5) }
        }
        return 200
    }

    @Test("writes are refused, reads and deletes work, and it goes on by itself once there is room")
    func resumes() throws {
        let log = try harness.log { $0.compaction = .keys }
        fill()
        let count = try write(log)
        #expect(count < 200)
        #expect(log.get("key-0") != nil)
        // A checkpoint tries to make room meanwhile.
        Clock.pause(milliseconds: 500)
        let deleted = Settled(try log.delete("key-0"))
        #expect(eventually { !deleted.isPending })
        #expect(log.get("key-0") == nil)
        #expect(throws: EngineError.diskFull) { try log.put("late", "1").wait() }
        files.lift()
        #expect(eventually { (try? log.put("late", "1")) != nil })
        harness.engine.stop()
    }

    @Test("a limit of the directory is a full disk, until a checkpoint has made room")
    func limit() throws {
        harness.engine.stop()
        let limited = try DurableHarness(
            FaultRun.path, files: MemoryFiles(), clock: Clock(frozenAt: 1_700_000_000_000),
            walFileBytes: FaultRun.walFileBytes
        ) { $0.maxDiskBytes = 6 * FaultRun.walFileBytes }
        let log = try limited.log { $0.compaction = .keys }
        let count = try write(log)
        #expect(count < 200)
        #expect(log.get("key-0") != nil)
        try log.trim(partition: 0, before: Offset(Int64(count))).wait()
        for _ in 0..<2 { try limited.engine.checkpoint() }
        #expect(eventually { (try? log.put("late", "1")) != nil })
        limited.engine.stop()
    }

    @Test("a server does not start on it, says so, and starts once there is room")
    func start() throws {
        try harness.log().append(["1"]).wait()
        harness.engine.stop()
        fill()
        do {
            try harness.reopen()
            Issue.record("it started")
        } catch let failure as StorageFailure {
            #expect(failure.reason.contains("space"), "\(failure)")
        }
        files.lift()
        try harness.reopen()
        #expect(try harness.existing()?.values() == ["1"])
        harness.engine.stop()
    }

    @Test("a server on it can be stopped")
    func stops() throws {
        let log = try harness.log { $0.compaction = .keys }
        fill()
        _ = try write(log)
        // More than what is left of the file.
        let last = (0..<20).compactMap { _ in try? log.delete("key-1") }
        let engine = harness.engine
        let stopped = Lock(false)
        let thread = Thread(name: "stop") {
            engine.stop()
            stopped.withLock { $0 = true }
        }
        #expect(eventually { stopped.withLock { $0 } })
        files.lift()
        thread.join()
        withExtendedLifetime(last) {}
    }
}

/// Whether it comes to be within some seconds.
func eventually(_ condition: () -> Bool) -> Bool {
    for _ in 0..<500 {
        if condition() { return true }
        Clock.pause(milliseconds: 10)
    }
    return false
}
