import Platform
import StorageEngine
import Support
import Testing

@Suite("What is there after a crash at any file call")
struct CrashTests {
    static let seeds = (1...(4 * FaultRounds.factor)).map { UInt64($0) }

    @Test("killed or without power at any call, an engine finds what it acknowledged", arguments: seeds)
    func anyCall(seed: UInt64) {
        var number = 1
        while true {
            let disk = MemoryFiles()
            let files = FaultyFiles.killing(disk, at: number, shortensWrites: number % 2 == 0)
            let run = FaultRun(seed: seed)
            run.live(files, steps: 30)
            run.check(disk.clone(), after: .kill, "seed \(seed), killed at call \(number)")
            for cut in 0..<UInt64(2) {
                run.check(
                    disk.afterPowerCut(seed: cut &+ UInt64(number)), after: .powerCut,
                    "seed \(seed), power cut \(cut) at call \(number)")
            }
            if files.count < number { break }
            number += 1
        }
        print("seed \(seed): \(number) calls")
    }
}
