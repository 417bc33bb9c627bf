import ObjectStorage
import Platform
import StorageEngine
import Support
import Testing

@testable import Snapshots

@Suite("Snapshots at a location")
struct SnapshotTests {
    private let harness = EngineHarness()

    private func fill(_ count: Int = 2000) throws -> Log {
        let log = try harness.log("a") { $0.compaction = .keys }
        for number in 0..<count {
            _ = try log.put("key-\(number)", "\"\(number) \(String(repeating: "v", count: 900))\"").value()
        }
        return log
    }

    private func take(
        _ store: MemoryStore, _ known: KnownPieces? = nil, logs: [String]? = nil
    ) throws -> (name: SnapshotName, job: Job, known: KnownPieces) {
        let snapshots = SnapshotStore(objects: store)
        let last = try snapshots.names().last
        let name = SnapshotName(at: harness.clock.now(), .all, after: last)
        let job = Job(.snapshot, name: name.text, location: store.location, startedAt: harness.clock.now())
        let run = SnapshotRun(
            engine: harness.engine, store: snapshots, leftovers: snapshots, job: job, name: name,
            packBytesMax: 64 << 20
        ) { nil }
        return (name, job, try run.run(logs: logs, known, before: last))
    }

    private func restore(
        _ store: MemoryStore, _ name: SnapshotName, into target: EngineHarness,
        _ change: (inout LoadOptions) -> Void = { _ in }
    ) throws {
        var options = LoadOptions()
        change(&options)
        try Restore(
            engine: target.engine, store: SnapshotStore(objects: store), name: name, options: options,
            job: Job(.restore, name: "r", location: store.location, startedAt: 0)
        ).run()
    }

    @Test("hold what was there at their instant, and nothing of later")
    func instant() throws {
        let log = try fill()
        let store = MemoryStore()
        let first = try take(store)
        _ = try log.put("key-1", "\"later\"").value()
        _ = try log.delete("key-2").value()
        let second = try take(store)
        for (name, isLater) in [(first.name, false), (second.name, true)] {
            let target = EngineHarness()
            try restore(store, name, into: target)
            let restored = try #require(target.engine.log(named: "a"))
            #expect(restored.keyCount == (isLater ? 1999 : 2000))
            #expect((restored.get("key-1") == "\"later\"") == isLater)
            #expect((restored.get("key-2") == nil) == isLater)
            #expect(restored.get("key-1999") == log.get("key-1999"))
        }
    }

    @Test("send only what is not there yet, in this process and in the next")
    func incremental() throws {
        let log = try fill()
        let store = MemoryStore()
        let first = try take(store)
        #expect(first.job.progress.sentBytes > 1_000_000)
        let same = try take(store, first.known)
        #expect(same.job.progress.sentBytes == 0)
        _ = try log.put("key-1", "\"later\"").value()
        // What is known only from the manifest, and of a batch that has one row more.
        let next = try take(store)
        #expect(next.job.progress.sentBytes < first.job.progress.sentBytes * 3 / 4)
        let target = EngineHarness()
        try restore(store, next.name, into: target)
        #expect(target.engine.log(named: "a")?.get("key-1") == "\"later\"")

        // The first may go: what it sent stays as long as others refer to it.
        let snapshots = SnapshotStore(objects: store)
        try snapshots.delete(first.name)
        try restore(store, next.name, into: EngineHarness())
        try snapshots.delete(same.name)
        try snapshots.delete(next.name)
        #expect(store.keys == [])
    }

    @Test("send again what was deleted meanwhile")
    func resend() throws {
        _ = try fill()
        let store = MemoryStore()
        let first = try take(store)
        try SnapshotStore(objects: store).delete(first.name)
        let second = try take(store, first.known)
        #expect(second.job.progress.sentBytes == first.job.progress.sentBytes)
        try restore(store, second.name, into: EngineHarness())
    }

    @Test("do not exist when any call to the store has failed, and leave nothing")
    func faults() throws {
        _ = try fill()
        let clean = MemoryStore()
        _ = try take(clean)
        let calls = clean.calls
        #expect(calls > 5)
        for number in 1...calls {
            let store = MemoryStore { call, kind, key throws(ObjectStoreFailure) in
                if call == number { throw ObjectStoreFailure(.unavailable, "memory", key, "call \(call)") }
            }
            #expect(throws: SnapshotFailure.self) { _ = try take(store) }
            #expect(store.keys == [], "call \(number)")
        }
    }

    @Test("are refused with the name of the object when any byte of them is wrong")
    func damage() throws {
        _ = try fill(300)
        let store = MemoryStore()
        let name = try take(store).name
        var random = SplitMix(state: 7)
        for key in store.keys {
            for _ in 0..<40 {
                let copy = MemoryStore()
                store.copyObjects(to: copy)
                var isPadding = false
                copy.change(key) { bytes in
                    let position = Int(random.next() % UInt64(bytes.count))
                    bytes[position] ^= UInt8(1 << (random.next() % 8))
                    isPadding = false
                }
                let target = EngineHarness()
                do {
                    try restore(copy, name, into: target)
                    // Between two pieces there are bytes that mean nothing.
                    isPadding = true
                } catch let failure as SnapshotFailure {
                    #expect("\(failure)".contains(key), "\(failure)")
                    #expect(target.engine.log(named: "a") == nil)
                }
                if isPadding { #expect(target.engine.log(named: "a")?.keyCount == 300) }
            }
            for length in [0, 10, 100] {
                let copy = MemoryStore()
                store.copyObjects(to: copy)
                copy.change(key) { $0 = Array($0.prefix(length)) }
                #expect(throws: SnapshotFailure.self) { try restore(copy, name, into: EngineHarness()) }
            }
        }
    }

    @Test("become other logs, other modes, or nothing at all")
    func options() throws {
        _ = try fill(100)
        let store = MemoryStore()
        let name = try take(store).name
        let target = EngineHarness()
        try restore(store, name, into: target) { $0.rename = ["a": "b"] }
        #expect(target.engine.log(named: "b")?.keyCount == 100)
        #expect(throws: SnapshotFailure.self) {
            try restore(store, name, into: target) { $0.rename = ["a": "b"] }
        }
        #expect(throws: SnapshotFailure.self) { try restore(store, name, into: target) { $0.logs = ["z"] } }
        #expect(throws: SnapshotFailure.self) {
            try restore(store, name, into: target) { $0.mode = .persistent }
        }
        _ = try target.engine.log(named: "b")?.delete("key-1").value()
        try restore(store, name, into: target) {
            $0.rename = ["a": "b"]
            $0.replaces = true
        }
        #expect(target.engine.log(named: "b")?.keyCount == 100)
    }

    @Test("of a server that has no memory for them are refused, and what was there stays")
    func noMemory() throws {
        _ = try fill(4000)
        let store = MemoryStore()
        let name = try take(store).name
        let target = EngineHarness(maxMemoryBytes: 3 << 20)
        _ = try target.log("b").append(["1"]).value()
        #expect(throws: SnapshotFailure.self) { try restore(store, name, into: target) }
        #expect(target.engine.allLogs.map(\.name) == ["b"])
        #expect(target.engine.memoryUsedBytes < 1 << 20)
    }

    @Test("are replayed by the timestamps of their records")
    func replay() throws {
        let log = try harness.log("a") { $0.compaction = .keys }
        let begin = harness.clock.now()
        for minute in 0..<60 {
            _ = try log.put("k-\(minute % 10)", "\(minute)") {
                // Gone five minutes later.
                if minute % 10 == 3 { $0.expiry = .at(milliseconds: begin + Int64(minute + 5) * 60_000) }
            }.value()
            harness.clock.advance(milliseconds: 60_000)
        }
        let store = MemoryStore()
        let name = try take(store).name
        func replay(_ minutes: Range<Int64>) throws -> Log {
            let target = EngineHarness()
            target.clock.advance(milliseconds: harness.clock.now() - target.clock.now())
            try Replay(
                engine: target.engine, store: SnapshotStore(objects: store), name: name,
                options: LoadOptions(),
                timestamps: begin + minutes.lowerBound * 60_000..<begin + minutes.upperBound * 60_000,
                job: Job(.replay, name: "r", location: "memory", startedAt: 0)
            ).run()
            return try #require(target.engine.log(named: "a"))
        }
        let middle = try replay(0..<35)
        #expect(middle.get("k-4") == "34")
        #expect(middle.get("k-5") == "25")
        // At that time it lived: minute 33, until 38.
        #expect(middle.get("k-3") == "33")
        let later = try replay(0..<39)
        #expect(later.get("k-3") == nil)
        let slice = try replay(12..<14)
        #expect(slice.get("k-2") == "12")
        #expect(slice.get("k-4") == nil)
        #expect(slice.statistics()[0].tail == Offset(2))
    }
}
