import Platform
import StorageEngine
import Support
import Testing

@Suite("Transfers by several threads, and a crash among them")
struct BankTests {
    static let seeds = (1...(12 * FaultRounds.factor)).map { UInt64($0) }
    private static let logs = ["left", "right", "interval"]
    private static let accounts = 4
    private static let threads = 4

    let disk = MemoryFiles()
    let clock = Clock(frozenAt: 1_700_000_000_000)

    private func open(_ harness: DurableHarness) throws {
        for (number, name) in Self.logs.enumerated() {
            let log = try harness.log(name) { configuration in
                configuration.compaction = .keys
                configuration.partitions = number + 1
                guard name == "interval" else { return }
                configuration.durability.synchronisation = .interval
                configuration.durability.acknowledgement = .memory
            }
            for account in 0..<Self.accounts { try log.put("account-\(account)", "100").wait() }
        }
        try harness.engine.checkpoint()
    }

    private static func increment(_ log: String, _ key: String, by amount: Int64) -> Transaction.Operation {
        var options = IncrementOptions()
        options.by = amount
        return .init(log: log, .increment(key: Array(key.utf8), options))
    }

    /// - Returns: how many transfers were acknowledged.
    private static func transfer(_ engine: Engine, _ thread: Int, seed: UInt64, times: Int) -> Int {
        var random = SplitMix(state: seed &* 100 &+ UInt64(thread))
        var acknowledged = 0
        for _ in 0..<times {
            let amount = Int64.random(in: 1...50, using: &random)
            func account() -> (log: String, key: String) {
                (
                    logs.randomElement(using: &random) ?? "left",
                    "account-\(Int.random(in: 0..<accounts, using: &random))"
                )
            }
            let (from, to) = (account(), account())
            var transaction = Transaction()
            transaction.then = [
                increment(from.log, from.key, by: -amount), increment(to.log, to.key, by: amount),
                increment("left", "count-\(thread)", by: 1),
            ]
            do throws(EngineError) {
                try engine.transact(transaction).wait()
                acknowledged += 1
            } catch {
                break
            }
        }
        return acknowledged
    }

    @Test("no money comes or goes, and what was acknowledged has happened", arguments: seeds)
    func transfers(seed: UInt64) throws {
        let files = FaultyFiles(disk)
        let harness = try FaultRun.start(files, clock)
        try open(harness)
        var random = SplitMix(state: seed)
        var plan = FaultyFiles.Plan()
        plan.at = Int.random(in: 1...60, using: &random)
        plan.kills = true
        plan.shortensWrites = true
        files.replace(plan)
        let counts = Lock([Int](repeating: 0, count: Self.threads))
        let (engine, times) = (harness.engine, 25)
        let threads = (0..<Self.threads).map { number in
            Thread(name: "bank") {
                let count = Self.transfer(engine, number, seed: seed, times: times)
                counts.withLock { $0[number] = count }
            }
        }
        // Whether it succeeds depends on when the process is killed.
        for _ in 0..<3 { try? engine.checkpoint() }
        for thread in threads { thread.join() }
        files.kill()
        engine.stop()
        for state in [disk.clone()] + (1...4).map({ disk.afterPowerCut(seed: seed &+ $0) }) {
            let again = try FaultRun.start(state, clock)
            var sum: Int64 = 0
            for name in Self.logs {
                let log = try #require(again.existing(name))
                for account in 0..<Self.accounts { sum += Int64(log.get("account-\(account)") ?? "") ?? 0 }
            }
            #expect(sum == Int64(Self.logs.count * Self.accounts * 100), "seed \(seed)")
            for (number, count) in counts.withLock({ $0 }).enumerated() {
                let found = Int(again.existing("left")?.get("count-\(number)") ?? "0") ?? 0
                #expect(found >= count && found <= count + 1, "seed \(seed), thread \(number)")
            }
            again.engine.stop()
        }
    }
}
