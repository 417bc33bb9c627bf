import Platform
import StorageEngine
import Support
import Testing

@Suite("Files that are damaged, replaced, missing or strange")
struct DamagedFileTests {
    /// In every long form at least as many as the promise names.
    static let flips = FaultRounds.factor > 1 ? max(10_000, 2_000 * FaultRounds.factor) : 2_000

    /// A stopped engine with a checkpoint, segments, and frames behind it.
    private func stopped(seed: UInt64, orderly: Bool = true) -> (FaultRun, MemoryFiles) {
        let disk = MemoryFiles()
        let run = FaultRun(seed: seed)
        run.live(FaultyFiles(disk), steps: 25, ending: orderly ? .stop : .kill)
        run.checkpoint(disk)
        run.live(FaultyFiles(disk), steps: 10, life: 1, ending: orderly ? .stop : .kill)
        return (run, disk)
    }

    /// It must refuse and name a file, or everything must be there.
    private func expectSound(_ run: FaultRun, _ disk: MemoryFiles, _ label: String) -> Bool {
        do {
            let harness = try FaultRun.start(disk, run.clock)
            let problems = run.ledger.problems(of: harness.engine, after: .stop, now: run.clock.now())
            #expect(problems.isEmpty, "\(label): \(problems.prefix(3))")
            harness.engine.stop()
            return true
        } catch let failure as StorageFailure {
            #expect(failure.path.hasPrefix(FaultRun.path + "/"), "\(label): \(failure)")
        } catch {
            Issue.record("\(label): \(error)")
        }
        return false
    }

    private static func files(_ disk: MemoryFiles) -> [String] {
        disk.paths.filter { !$0.hasSuffix("LOCK") && disk.content(of: $0)?.isEmpty == false }
    }

    @Test("a flipped bit is noticed, or lies where nothing is", arguments: [1, 2, 3] as [UInt64])
    func flippedBits(seed: UInt64) throws {
        // The files of a server that was killed are those that it had in use.
        let (run, disk) = stopped(seed: seed, orderly: seed != 3)
        var random = SplitMix(state: seed)
        let paths = Self.files(disk)
        var refused = 0
        for round in 0..<(Self.flips + 2) / 3 {
            let path = try #require(paths.randomElement(using: &random))
            var content = try #require(disk.content(of: path))
            // Most of a file of the write-ahead log is zeros: its beginning is of more interest.
            let used = max(1, content.lastIndex { $0 != 0 } ?? 1)
            let bound = round % 4 == 0 ? content.count : used
            let place = Int.random(in: 0..<bound, using: &random)
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            content[place] ^= bit
            let damaged = disk.clone()
            damaged.put(path, content)
            if !expectSound(run, damaged, "seed \(seed), \(path), byte \(place), bit \(bit)") { refused += 1 }
        }
        #expect(refused > Self.flips / 12)
    }

    @Test("the last file of the write-ahead log may be cut off anywhere", arguments: [1, 2] as [UInt64])
    func truncated(seed: UInt64) throws {
        let (run, disk) = stopped(seed: seed, orderly: false)
        let path = try #require(
            disk.paths.last { path in
                path.hasSuffix(".wal") && disk.content(of: path)?.contains { $0 != 0 } == true
            })
        let content = try #require(disk.content(of: path))
        let used = content.lastIndex { $0 != 0 } ?? 0
        // One that is empty looks like one that was just made; only after an orderly stop is it known to be missing.
        for length in stride(
            from: max(1, used - 1500), through: min(content.count, used + 70),
            by: FaultRounds.factor > 1 ? 1 : 7)
        {
            let shortened = disk.clone()
            shortened.put(path, Array(content[0..<length]))
            _ = expectSound(run, shortened, "seed \(seed), cut to \(length) bytes")
        }
    }

    @Test("rubbish in the place of any file is noticed, and so is a file that is empty or missing")
    func rubbish() throws {
        let (run, disk) = stopped(seed: 4)
        var random = SplitMix(state: 4)
        for path in Self.files(disk) where !path.hasSuffix("last-run") {
            for length in [0, 1, 63, 64, 100, 4096] {
                let damaged = disk.clone()
                damaged.put(path, (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
                _ = expectSound(run, damaged, "\(path) is \(length) bytes of rubbish")
            }
            let missing = disk.clone()
            missing.take(path)
            _ = expectSound(run, missing, "\(path) is missing")
        }
    }

    @Test("a file in the place of another of its kind is noticed")
    func exchanged() throws {
        let (run, disk) = stopped(seed: 5)
        let paths = Self.files(disk)
        for suffix in [".wal", ".seg"] {
            let same = paths.filter { $0.hasSuffix(suffix) }
            for path in same {
                for other in same where other != path {
                    let damaged = disk.clone()
                    damaged.put(path, try #require(disk.content(of: other)))
                    _ = expectSound(run, damaged, "\(other) in the place of \(path)")
                }
            }
        }
    }

    @Test("an older copy of any file is noticed")
    func older() throws {
        let disk = MemoryFiles()
        let run = FaultRun(seed: 6)
        run.live(FaultyFiles(disk), steps: 25, ending: .stop)
        run.checkpoint(disk)
        let before = disk.clone()
        run.live(FaultyFiles(disk), steps: 20, life: 1, ending: .stop)
        run.checkpoint(disk)
        for path in Self.files(before) where !path.hasSuffix("last-run") {
            let mixed = disk.clone()
            mixed.put(path, try #require(before.content(of: path)))
            _ = expectSound(run, mixed, "an older \(path)")
        }
    }

    @Test("files that nobody knows do no harm")
    func extra() throws {
        let (run, disk) = stopped(seed: 7)
        for path in ["/data/notes.txt", "/data/wal/readme", "/data/wal/12.wal", "/data/segments/x.seg"] {
            disk.put(path, Array("hello".utf8))
        }
        disk.put("/data/checkpoint.new", [1, 2, 3])
        disk.put("/data/segments/00000000000000ff.seg", [1, 2, 3])
        #expect(expectSound(run, disk, "extra files"))
        #expect(disk.content(of: "/data/notes.txt") != nil)
    }
}

extension FaultRun {
    /// A start whose only work is a checkpoint.
    func checkpoint(_ disk: MemoryFiles) {
        do {
            let harness = try Self.start(disk, clock)
            ledger.adopt(harness.engine)
            try harness.engine.checkpoint()
            harness.engine.stop()
        } catch {
            Issue.record("\(error)")
        }
    }
}
