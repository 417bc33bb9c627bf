import Glibc
import Platform
import StorageEngine
import Support
import Testing

@Suite("A call on files that fails")
struct FailingCallTests {
    struct Manner: Sendable, CustomTestStringConvertible {
        let name: String
        let code: Int32
        var shortens = false
        var onlyGrowing = false
        var testDescription: String { name }
    }

    static let manners = [
        Manner(name: "input/output error", code: EIO),
        Manner(name: "input/output error after a part was written", code: EIO, shortens: true),
        Manner(name: "no space", code: ENOSPC, onlyGrowing: true),
    ]

    /// Calls of a life that begins with a recovery.
    @Test(
        "any call may fail: nothing acknowledged is lost, no file is synchronised twice", arguments: manners)
    func anyCall(_ manner: Manner) {
        let seed: UInt64 = 5
        var number = 1
        while true {
            let disk = MemoryFiles()
            let run = FaultRun(seed: seed)
            run.live(FaultyFiles(disk), steps: 15)
            var plan = FaultyFiles.Plan()
            plan.at = number
            plan.code = manner.code
            plan.shortensWrites = manner.shortens
            plan.onlyGrowing = manner.onlyGrowing
            plan.calls = Set(FileCall.allCases)
            let files = FaultyFiles(disk, plan)
            let isComplete = run.live(files, steps: 25, life: 1, ending: .stop)
            let label = "\(manner.name), call \(number)"
            #expect(files.violations.isEmpty, "\(label): \(files.violations)")
            // Where the write-ahead log failed, logs that do not wait for the disk begin new epochs.
            run.check(disk.clone(), after: .stop, label)
            let cut: Calamity = isComplete.map { $0 ? .stop : .powerCut } ?? .failedStart
            run.check(disk.afterPowerCut(seed: UInt64(number)), after: cut, label + ", power cut")
            if !files.hasFailed { break }
            number += manner.onlyGrowing ? 5 : 3
        }
        print("\(manner.name): \(number) calls")
    }
}
