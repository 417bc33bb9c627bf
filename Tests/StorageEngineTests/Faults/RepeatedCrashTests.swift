import Platform
import StorageEngine
import Support
import Testing

@Suite("Crashes one after the other")
struct RepeatedCrashTests {
    static let seeds = (1...(3 * FaultRounds.factor)).map { UInt64($0) }

    @Test("recovery may itself be killed at any call, and again", arguments: seeds)
    func duringRecovery(seed: UInt64) {
        var random = SplitMix(state: seed)
        let disk = MemoryFiles()
        let run = FaultRun(seed: seed)
        // Somewhere in the middle of its life.
        run.live(.killing(disk, at: Int.random(in: 25...70, using: &random)), steps: 40)
        for calamity in [Calamity.kill, .powerCut] {
            let start = calamity == .kill ? disk.clone() : disk.afterPowerCut(seed: seed)
            var number = 1
            while true {
                let label = "seed \(seed), \(calamity), recovery killed at call \(number)"
                let left = start.clone()
                let files = FaultyFiles.killing(left, at: number, shortensWrites: number % 2 == 1)
                recover(files, run.clock)
                run.check(left.clone(), after: calamity, label)
                run.check(
                    left.afterPowerCut(seed: seed &+ UInt64(number)), after: .powerCut, label + ", power cut")
                if !files.hasFailed { break }
                // The second recovery is killed as well.
                let second = FaultyFiles.killing(left.clone(), at: Int.random(in: 1...12, using: &random))
                recover(second, run.clock)
                run.check(left.clone(), after: calamity, label + ", twice")
                number += 1
            }
        }
    }

    private func recover(_ files: FaultyFiles, _ clock: Clock) {
        do {
            let harness = try FaultRun.start(files, clock)
            files.kill()
            harness.engine.stop()
        } catch {
            #expect(files.hasFailed, "\(error)")
        }
    }

    @Test("many lives, each of which ends in another way, lose nothing", arguments: seeds)
    func manyLives(seed: UInt64) {
        var random = SplitMix(state: seed &* 31)
        var disk = MemoryFiles()
        let run = FaultRun(seed: seed)
        for life in 0..<12 {
            let at = Int.random(in: 20...120, using: &random)
            let isOrderly = Int.random(in: 0..<4, using: &random) == 0
            let files = isOrderly ? FaultyFiles(disk) : FaultyFiles.killing(disk, at: at)
            let started = run.live(files, steps: 40, life: life, ending: isOrderly ? .stop : .kill)
            let cutsPower = !isOrderly && Bool.random(using: &random)
            disk = cutsPower ? disk.afterPowerCut(seed: random.next()) : disk.clone()
            // An engine that did not start gave nothing new, but may have begun new epochs.
            guard started != nil else { continue }
            run.check(disk.clone(), after: cutsPower ? .powerCut : .kill, "seed \(seed), life \(life)")
        }
    }
}
