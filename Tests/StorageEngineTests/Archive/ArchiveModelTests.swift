import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Random operations on a log with an archive")
struct ArchiveModelTests {
    @Test(
        "it is what a dictionary is, whatever moves, is compacted, trimmed and restarted",
        arguments: (1...(6 * FaultRounds.factor)).map { UInt64($0) })
    func model(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let run = ArchiveRun()
        let harness = try run.start()
        var log = try run.log(harness) { $0.tombstones = seed % 2 == 0 }
        var model: [String: String] = [:]
        var moves = 0
        for step in 0..<1500 {
            let key = "key-\(Int.random(in: 0..<80, using: &random))"
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<60:
                let value = ArchiveRun.value(step)
                try log.put(key, value).wait()
                model[key] = value
            case 60..<72:
                if model.removeValue(forKey: key) != nil { try log.delete(key).wait() }
            case 72..<78:
                if model[key] != nil {
                    try log.touch(
                        key: Array(key.utf8).span.bytes, expiry: .never, condition: .exists,
                        acknowledgement: nil
                    ).wait()
                }
            case 78..<84:
                let sum = try log.increment("counter").wait().value
                model["counter"] = "\(sum)"
            case 84..<96: #expect(log.get(key) == model[key], "seed \(seed), step \(step)")
            case 96..<99:
                run.age(harness)
                if log.archivedBatches > 0 { moves += 1 }
            default:
                // What has moved is there again.
                harness.engine.stop()
                try harness.reopen()
                log = try #require(harness.existing())
            }
        }
        for (key, value) in model { #expect(log.get(key) == value, "seed \(seed), \(key)") }
        #expect(log.keyCount == model.count && moves > 3)
        let listed = try log.keys(prefix: [], startAfter: nil, limit: 1000).records
        #expect(
            listed.map { String(decoding: $0.value, as: UTF8.self) }
                == model.sorted { $0.key < $1.key }.map(\.value))
        for key in model.keys { try log.delete(key).wait() }
        for _ in 0..<4 { run.age(harness) }
        for _ in 0..<2 { harness.engine.archiveDue() }
        #expect(log.keyCount == 0)
        // Tombstones have no values, but their batches are there as long as a row of them can be read.
        let needed = Set(
            log.partitions.flatMap { partition in
                partition.state.withLock { $0.list.batches.compactMap { $0.archived?.object.id } }
            })
        #expect(run.store.keys.count == needed.count)
        harness.engine.stop()
    }

    @Test("readers and writers go on while batches move, and objects come and go")
    func concurrently() throws {
        let run = ArchiveRun()
        let harness = try run.start()
        let log = try run.log(harness)
        let isOver = Flag()
        let engine = harness.engine
        let threads = (0..<3).map { writer in
            Thread(name: "writer") {
                var random = SplitMix(state: UInt64(writer))
                var model: [String: String] = [:]
                // How many rounds fit beside the steps is the machine's affair.
                for step in 0..<200_000 where engine.archiveFigures.uploads < 6 {
                    let key = "\(writer)-\(Int.random(in: 0..<1000, using: &random))"
                    switch Int.random(in: 0..<10, using: &random) {
                    case 0..<2:
                        let value = ArchiveRun.value(step)
                        do { try log.put(key, value).wait() } catch { Issue.record("\(error)") }
                        model[key] = value
                    case 2:
                        guard model.removeValue(forKey: key) != nil else { break }
                        do { try log.delete(key).wait() } catch { Issue.record("\(error)") }
                    case 3:
                        do { model["n-\(writer)"] = "\(try log.increment("n-\(writer)").wait().value)" } catch
                        {
                            Issue.record("\(error)")
                        }
                    case 4:
                        do {
                            _ = try log.read(
                                partition: 0, from: .last(200), limit: 200, maxBytes: 20_000, clamps: true)
                        } catch { Issue.record("\(error)") }
                    default:
                        #expect(log.failure(key) == nil)
                        #expect(log.get(key) == model[key])
                    }
                }
            }
        }
        let mover = Thread(name: "mover") {
            while !isOver.isSet { run.age(engine) }
        }
        for thread in threads { thread.join() }
        isOver.set()
        mover.join()
        #expect(harness.engine.archiveFigures.uploads >= 6)
        #expect(harness.engine.archiveFigures.fetchFailures == 0)
        harness.engine.stop()
    }
}

private final class Flag: Sendable {
    private let state = Lock(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}
