import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("An archive that fails, and crashes on the way to it")
struct ArchiveFaultTests {
    static let keys = 12

    /// Two rounds of writing and moving, deletes and overwrites between them.
    private func live(_ run: ArchiveRun, _ harness: DurableHarness) {
        do {
            let log = try run.log(harness)
            for number in 0..<Self.keys { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
            run.age(harness)
            for number in 0..<4 { try log.put("key-\(number)", ArchiveRun.value(100 + number)).wait() }
            try log.delete("key-11").wait()
            run.age(harness)
            // So that what moved is rewritten beside what is new, and objects become unneeded.
            for number in 0..<Self.keys - 1 {
                try log.put("key-\(number)", ArchiveRun.value(200 + number)).wait()
            }
            run.age(harness)
        } catch {
            // The test made it fail.
        }
    }

    /// What a key may be after a crash: a value that it had at some time, in the order of time.
    private func check(_ log: Log, _ label: String) {
        for number in 0..<Self.keys {
            if let failure = log.failure("key-\(number)") {
                Issue.record("\(label): key-\(number): \(failure)")
                continue
            }
            let known = [number, 100 + number, 200 + number].map(ArchiveRun.value)
            if let value = log.get("key-\(number)") {
                #expect(known.contains(value), "\(label): key-\(number)")
            }
        }
    }

    /// Restarts on what is left, with a store that works: all can be read, and no object is there that nobody needs.
    private func recover(_ disk: MemoryFiles, _ run: ArchiveRun, all: Bool, _ label: String) throws {
        let again = ArchiveRun(disk: disk, store: run.store.clone(), clock: run.clock)
        let harness = try again.start()
        defer { harness.engine.stop() }
        guard let log = harness.existing() else { return }
        check(log, label)
        if all {
            for number in 0..<Self.keys - 1 {
                #expect(log.get("key-\(number)") == ArchiveRun.value(200 + number), "\(label): key-\(number)")
            }
            #expect(log.get("key-11") == nil, "\(label)")
        }
        try harness.engine.checkpoint()
        again.age(harness)
        harness.engine.archiveDue()
        check(log, label + ", moved")
        let needed = Set(
            log.partitions.flatMap { partition in
                partition.state.withLock { $0.list.batches.compactMap { $0.archived?.object.id } }
            })
        #expect(again.store.keys.count == needed.count, "\(label): \(again.store.keys.count) objects")
    }

    @Test(
        "any call of the store may fail, before or after it had its effect", arguments: [false, true],
        [false, true])
    func anyStoreCall(comesLate: Bool, lasts: Bool) throws {
        var number = 1
        while true {
            let run = ArchiveRun()
            var plan = MemoryArchive.Plan()
            plan.at = number
            plan.comesLate = comesLate
            plan.lasts = lasts
            run.store.replace(plan)
            let harness = try run.start()
            live(run, harness)
            let isClean = run.store.count < number
            run.store.replace(.init())
            let label = "call \(number)"
            let log = try #require(harness.existing())
            for key in 0..<Self.keys - 1 {
                #expect(log.get("key-\(key)") == ArchiveRun.value(200 + key), "\(label)")
            }
            try recover(run.disk.afterPowerCut(seed: UInt64(number)), run, all: false, label + ", power cut")
            harness.engine.stop()
            try recover(run.disk.clone(), run, all: true, label)
            if isClean { break }
            number += 1
        }
        print("\(number) calls of the store")
    }

    @Test("killed or without power at any call on files, nothing that was on the disk is lost")
    func anyFileCall() throws {
        var number = 1
        while true {
            let run = ArchiveRun()
            let files = FaultyFiles.killing(run.disk, at: number, shortensWrites: number % 2 == 0)
            var ended = false
            if let harness = try? run.start(files) {
                live(run, harness)
                ended = files.count < number
                files.kill()
                harness.engine.stop()
            }
            let label = "call \(number)"
            try recover(run.disk.clone(), run, all: false, label)
            try recover(run.disk.afterPowerCut(seed: UInt64(number)), run, all: false, label + ", power cut")
            if ended { break }
            // All of them in the long form.
            number += FaultRounds.factor > 1 ? 1 : 5
        }
        print("\(number) calls on files")
    }

    @Test("no local byte goes before its copy was verified and a checkpoint refers to it")
    func order() throws {
        let run = ArchiveRun()
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        try log.put("key", ArchiveRun.value(1)).wait()
        run.store.setDown(true)
        run.age(harness)
        #expect(run.isOnDisk(ArchiveRun.value(1)) && log.archivedBatches == 0)
        #expect(harness.engine.archiveFigures.uploadFailures > 0 && run.store.keys.isEmpty)
        #expect(log.get("key") == ArchiveRun.value(1))
        run.store.setDown(false)
        harness.engine.archiveDue()
        #expect(!run.isOnDisk(ArchiveRun.value(1)) && log.archivedBatches == 1)
        #expect(log.get("key") == ArchiveRun.value(1))
    }

    @Test("wrong, missing and shortened bytes are never returned, and the object is named", arguments: 0..<4)
    func wrongBytes(manner: Int) throws {
        let run = ArchiveRun()
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        try log.put("key", ArchiveRun.value(1)).wait()
        run.age(harness)
        let key = try #require(run.store.keys.first)
        let content = try #require(run.store.content(of: key))
        let bytes = try #require(log.partitions[0].firstStub?.archived?.piece.bytes)
        switch manner {
        case 0:
            for byte in stride(from: 0, to: bytes, by: 5) {
                run.store.flip(byte)
                guard case .archiveDamaged(_, let object, _) = log.failure("key") else {
                    Issue.record("byte \(byte) was not noticed")
                    continue
                }
                #expect(object == key)
            }
            run.store.flip(nil)
        case 1:
            run.store.set(key, nil)
            guard case .archiveDamaged(_, key, _) = log.failure("key") else { throw NoArchive() }
            run.store.set(key, content)
        case 2:
            run.store.shorten(true)
            guard case .archiveUnavailable = log.failure("key") else { throw NoArchive() }
            run.store.shorten(false)
        default:
            run.store.set(key, [UInt8](repeating: 7, count: content.count))
            guard case .archiveDamaged(_, key, _) = log.failure("key") else { throw NoArchive() }
            run.store.set(key, content)
        }
        #expect(harness.engine.archiveFigures.fetchFailures > 0)
        #expect(log.get("key") == ArchiveRun.value(1))
    }

    @Test("while the store is down what is on this machine is served, and all is written")
    func down() throws {
        let run = ArchiveRun()
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try run.log(harness)
        for number in 0..<10 { try log.put("cold-\(number)", "\(number)").wait() }
        run.age(harness)
        try log.put("hot", "1").wait()
        run.store.setDown(true)
        #expect(log.get("hot") == "1")
        guard case .archiveUnavailable("log", _) = log.failure("cold-1") else { throw NoArchive() }
        #expect(throws: EngineError.self) { try log.values() }
        #expect(try log.values(.offset(Offset(10))) == ["1"])
        #expect(try log.keys(prefix: [], startAfter: nil, limit: 100, archived: .leftOut).records.count == 11)
        try log.put("cold-2", "22").wait()
        try log.delete("cold-3").wait()
        #expect(throws: EngineError.self) { try log.increment("cold-4").wait() }
        #expect(log.get("cold-2") == "22" && log.get("cold-3") == nil)
        run.store.setDown(false)
        #expect(log.get("cold-1") == "1" && log.get("cold-4") == "4")
        #expect(try log.increment("cold-4").wait().value == 5)
    }

    @Test("what a server left that was killed is deleted by the next, and nothing of anybody else")
    func orphans() throws {
        let run = ArchiveRun()
        run.store.set("0000000000000001/0000000000000001/0000000000000001.arc", [1])
        run.store.set("notes.txt", [2])
        let harness = try run.start()
        let log = try run.log(harness)
        try log.put("key", ArchiveRun.value(1)).wait()
        run.age(harness)
        let own = run.store.keys.filter { $0.hasSuffix(".arc") && !$0.hasPrefix("0000000000000001/") }
        let first = try #require(own.first)
        let space = try #require(first.split(separator: "/").first)
        run.store.set("\(space)/0000000000000009/00000000000000ff.arc", [3])
        harness.engine.archiveDue()
        harness.engine.stop()
        try harness.reopen()
        try harness.engine.checkpoint()
        harness.engine.archiveDue()
        #expect(
            run.store.keys.sorted()
                == ["0000000000000001/0000000000000001/0000000000000001.arc", first, "notes.txt"].sorted())
        #expect(harness.existing()?.get("key") == ArchiveRun.value(1))
        harness.engine.stop()
    }

    @Test("the object of a stub that was damaged stays for as long as what was put aside is there")
    func quarantine() throws {
        let run = ArchiveRun()
        do {
            let harness = try run.start()
            let log = try run.log(harness)
            try log.put("key", ArchiveRun.value(1)).wait()
            run.age(harness)
            let stub = try #require(log.partitions[0].firstStub?.stored)
            harness.engine.stop()
            let path = "\(FaultRun.path)/segments/\(SegmentFormat.name(stub.piece.segment))"
            var content = try #require(run.disk.content(of: path))
            content[stub.piece.position + stub.piece.bytes / 2] ^= 1
            run.disk.put(path, content)
        }
        for isFirst in [true, false] {
            let harness = try run.start { configuration in
                guard isFirst else { return }
                // Only one at a time has the directory.
                configuration.dataDirectory = nil
                // Then the server does not start, and the test fails.
                configuration.dataDirectory = try? DataDirectory(
                    FaultRun.path, files: run.disk, walFileBytes: FaultRun.walFileBytes, quarantines: true)
            }
            #expect(harness.report.damage.count == (isFirst ? 1 : 0))
            for _ in 0..<2 {
                try harness.engine.checkpoint()
                harness.engine.archiveDue()
            }
            #expect(harness.existing()?.get("key") == nil && run.store.keys.count == 1)
            harness.engine.stop()
        }
    }

    @Test("a server without an object store starts, serves what is here, and says what it lacks")
    func withoutStore() throws {
        let run = ArchiveRun()
        let harness = try run.start()
        let log = try run.log(harness)
        try log.put("key", ArchiveRun.value(1)).wait()
        run.age(harness)
        harness.engine.stop()
        let plain = try DurableHarness(
            FaultRun.path, files: run.disk, clock: run.clock, walFileBytes: FaultRun.walFileBytes)
        let again = try #require(plain.existing())
        #expect(again.keyCount == 1)
        guard case .archiveUnavailable = again.failure("key") else { throw NoArchive() }
        plain.engine.stop()
    }
}
