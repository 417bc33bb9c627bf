import Foundation
import Platform
import StorageEngine
import Support
import Testing

/// How much is tried: `PYRALOG_FAULT_ROUNDS` multiplies it.
enum FaultRounds {
    static let factor = ProcessInfo.processInfo.environment["PYRALOG_FAULT_ROUNDS"].flatMap { Int($0) } ?? 1
}

/// One engine on a disk in memory, what it is sent, and the lives it has behind it.
struct FaultRun {
    static let path = "/data"
    /// Small, so that files change often.
    static let walFileBytes = 16 << 10
    let clock = Clock(frozenAt: 1_700_000_000_000)
    let ledger = Ledger()
    let seed: UInt64

    init(seed: UInt64) { self.seed = seed }

    static func start(_ files: any FileSystem, _ clock: Clock) throws -> DurableHarness {
        try DurableHarness(path, files: files, clock: clock, walFileBytes: walFileBytes)
    }

    /// How a life ends.
    enum Ending { case kill, stop }

    /// Runs the workload until it is through or the files are dead; the engine is ended then.
    /// - Returns: whether everything was written when it ended; nil when the engine did not even start.
    @discardableResult
    func live(_ files: FaultyFiles, steps: Int, life: Int = 0, ending: Ending = .kill) -> Bool? {
        do {
            let harness = try Self.start(files, clock)
            if life > 0 { ledger.adopt(harness.engine) }
            var workload = Workload(harness.engine, clock, ledger, seed: seed, life: life)
            if life == 0 { workload.create() }
            workload.run(steps: steps)
            // What was killed writes nothing more when it is taken down.
            if ending == .kill { files.kill() }
            harness.engine.stop()
            return ending == .stop && harness.engine.storageFailure == nil
        } catch {
            #expect(files.hasFailed, "seed \(seed): \(error)")
            return nil
        }
    }

    /// Starts an engine on what is left and compares it with the ledger, twice: recovering is idempotent.
    func check(_ files: MemoryFiles, after calamity: Calamity, _ label: @autoclosure () -> String) {
        do {
            let harness = try Self.start(files, clock)
            let problems = ledger.problems(of: harness.engine, after: calamity, now: clock.now())
            #expect(problems.isEmpty, "\(label()): \(problems.prefix(5))")
            harness.engine.stop()
        } catch {
            Issue.record("\(label()): \(error)")
        }
    }
}
