import Glibc
import Platform
import StorageEngine
import Support
import Testing

@Suite("A synchronisation that fails")
struct FailingSynchronisationTests {
    let disk = MemoryFiles()
    let files: FaultyFiles
    let harness: DurableHarness
    let clock = Clock(frozenAt: 1_700_000_000_000)

    init() throws {
        files = FaultyFiles(disk)
        harness = try FaultRun.start(files, clock)
    }

    private func failNextSynchronisation() {
        var plan = FaultyFiles.Plan()
        plan.at = 1
        plan.calls = [.synchronise]
        plan.onlyUsedLog = true
        files.replace(plan)
    }

    @Test("all persistent logs are read-only at what was committed, memory logs go on")
    func readOnly() throws {
        let always = try harness.log("always") { $0.compaction = .keys }
        let never = try harness.log("never") {
            $0.durability.synchronisation = .never
            $0.durability.acknowledgement = .memory
        }
        let memory = try harness.log("memory") {
            $0.mode = .memory
            $0.durability.acknowledgement = .memory
        }
        try always.put("key", "1").wait()
        failNextSynchronisation()
        do {
            try always.put("key", "2").wait()
            Issue.record("it was acknowledged")
        } catch EngineError.outcomeUnknown {}
        #expect(always.get("key") == "1")
        #expect(try always.bounds(partition: 0).tail == Offset(1))
        #expect(harness.engine.storageFailure != nil)
        for log in [always, never] {
            do {
                try log.append(["3"]).wait()
                Issue.record("\(log.name) took a write")
            } catch EngineError.logReadOnly {}
        }
        #expect(throws: EngineError.self) { try always.delete("key").wait() }
        #expect(throws: EngineError.self) { try always.trim(partition: 0, before: Offset(1)).wait() }
        #expect(throws: (any Error).self) { try harness.engine.checkpoint() }
        try memory.append(["4"]).wait()
        #expect(try memory.values() == ["4"])
        harness.engine.stop()
        #expect(files.violations.isEmpty, "\(files.violations)")
    }

    @Test(
        "who waited with a condition while it failed is told that the outcome is unknown, or that it is read-only"
    )
    func conditions() throws {
        let log = try harness.log { $0.compaction = .keys }
        let revision = try log.put("key", "0").wait().revision
        files.slow(.synchronise, milliseconds: 50)
        failNextSynchronisation()
        let results = (1...16).map { number in
            Result {
                Settled(try log.put("key", "\(number)") { $0.condition = .matchesAny([revision]) })
            }
        }
        var unknown = 0
        for result in results {
            switch result {
            case .success(let settled):
                #expect(eventually { !settled.isPending })
                #expect(settled.value == nil)
                if case .outcomeUnknown = settled.error { unknown += 1 }
                switch settled.error {
                case .outcomeUnknown, .logReadOnly: break
                default: Issue.record("\(String(describing: settled.error))")
                }
            case .failure(EngineError.logReadOnly): break
            case .failure(let error): Issue.record("\(error)")
            }
        }
        #expect(unknown == 1)
        #expect(log.get("key") == "0")
        harness.engine.stop()
    }

    @Test("after it the next start finds what was acknowledged, also when what was not synchronised is lost")
    func recovery() throws {
        let log = try harness.log { $0.compaction = .keys }
        for number in 0..<20 { try log.put("key-\(number)", "\(number)").wait() }
        failNextSynchronisation()
        _ = try? log.put("key-0", "\"unknown\"").wait()
        harness.engine.stop()
        let states = [disk.clone()] + (1...10).map { disk.afterPowerCut(seed: $0) }
        for state in states {
            let again = try FaultRun.start(state, clock)
            let log = try #require(again.existing())
            for number in 1..<20 { #expect(log.get("key-\(number)") == "\(number)") }
            #expect(["0", "\"unknown\""].contains(log.get("key-0")))
            try log.put("key-0", "5").wait()
            again.engine.stop()
        }
    }

    @Test(
        "what a log had not synchronised when it failed may be lost: then its epoch is new",
        arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func lostPages(seed: UInt64) throws {
        let always = try harness.log("always")
        let never = try harness.log("never") {
            $0.durability.synchronisation = .never
            $0.durability.acknowledgement = .memory
        }
        for number in 0..<10 { try never.append(["\(number)"]).wait() }
        failNextSynchronisation()
        _ = try? always.append(["1"]).wait()
        let state = disk.afterLostPages(seed: seed)
        harness.engine.stop()
        let again = try FaultRun.start(state, clock)
        let values = try #require(again.existing("never")).values()
        #expect(values == (0..<values.count).map { "\($0)" })
        #expect(again.existing("never")?.epoch != never.epoch)
        #expect(again.existing("always")?.epoch == always.epoch)
        again.engine.stop()
    }

    @Test("a log in memory that shared a transaction with the log that failed goes on")
    func sharedTransaction() throws {
        let durable = try harness.log("durable") { $0.compaction = .keys }
        let memory = try harness.log("memory") {
            $0.mode = .memory
            $0.compaction = .keys
            $0.durability.acknowledgement = .memory
        }
        try memory.put("key", "1").wait()
        failNextSynchronisation()
        var transaction = Transaction()
        for log in [durable, memory] {
            transaction.then.append(.init(log: log.name, .put(.init(key: Array("key".utf8), value: [50]))))
        }
        #expect(throws: EngineError.self) { try harness.engine.transact(transaction).wait() }
        #expect(memory.get("key") == "1")
        try memory.put("key", "3").wait()
        #expect(memory.get("key") == "3")
        #expect(durable.get("key") == nil)
        try memory.append(["4"]).wait()
        #expect(try memory.values().suffix(2) == ["3", "4"])
        harness.engine.stop()
    }

    @Test("a disk that is slow makes writers come back later, and what waits for it is bounded")
    func slow() throws {
        let log = try harness.log()
        files.slow(.synchronise, milliseconds: 300)
        let value = "\"" + String(repeating: "v", count: 4 << 20) + "\""
        var sent = 0
        var outcomes: [Outcome<AppendResult>] = []
        do {
            for _ in 0..<64 {
                outcomes.append(try log.append([value]))
                sent += 1
            }
            Issue.record("all were taken")
        } catch EngineError.commitLogBehind {}
        #expect((10...48).contains(sent), "\(sent) writes of 4 MiB")
        files.slow(.synchronise, milliseconds: 0)
        for outcome in outcomes { try outcome.wait() }
        try log.append(["\"late\""]).wait()
        #expect(try log.bounds(partition: 0).tail == Offset(Int64(sent + 1)))
        harness.engine.stop()
    }
}
