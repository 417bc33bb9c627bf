import Platform
import StorageEngine
import Support
import Testing

@Suite("Assigned, durable and committed are three things")
struct CommitTests {
    @Test("a record that has its offset but is not durable is seen by nobody")
    func invisible() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        let first = Settled(try log.append(["a", "b"]))
        #expect(first.isPending)
        #expect(try log.values().isEmpty)
        #expect(try log.bounds(partition: 0).tail == .zero)
        harness.commitLog?.commit()
        #expect(first.value?.ranges == [OffsetRange(partition: 0, start: .zero, end: Offset(2))])
        #expect(try log.values() == ["a", "b"])
    }

    @Test("a key shows its committed value while a newer one is under way")
    func olderValue() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        _ = try log.put("k", "old")
        harness.commitLog?.commit()
        let newer = Settled(try log.put("k", "new"))
        #expect(log.get("k") == "old")
        harness.commitLog?.commit()
        #expect(log.get("k") == "new")
        #expect(newer.value?.isNew == false)
    }

    @Test("unconditional writes do not wait for each other; they commit in order")
    func pipelined() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        let puts = try (0..<10).map { Settled(try log.put("k", "\($0)")) }
        #expect(harness.commitLog?.heldCount == 10)
        harness.commitLog?.commit(4)
        #expect(log.get("k") == "3")
        let waiting = puts.map(\.isPending)
        #expect(waiting == (0..<10).map { $0 >= 4 })
        harness.commitLog?.commit()
        #expect(log.get("k") == "9")
        let created = puts.map { $0.value?.isNew ?? true }
        #expect(created == (0..<10).map { $0 == 0 })
    }

    @Test("a conditional write waits for the uncommitted write of its key, then is decided")
    func conditionalWaits() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        let creation = Settled(try log.put("k", "1") { $0.condition = .isAbsent })
        let rival = Settled(try log.put("k", "2") { $0.condition = .isAbsent })
        let increment = Settled(try log.increment("k"))
        #expect(harness.commitLog?.heldCount == 1)
        harness.commitLog?.commit()
        let revision = try #require(creation.value?.revision)
        #expect(rival.error == .preconditionFailed(current: revision))
        #expect(increment.isPending)
        harness.commitLog?.commit()
        #expect(increment.value?.value == 2)
        #expect(log.get("k") == "2")
    }

    @Test("a mismatch of match_offset against an uncommitted tail is answered when that commits")
    func matchOffset() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        _ = try log.append(["a"])
        let next = Settled(try log.append(["b"]) { $0.matchOffset = Offset(1) })
        let late = Settled(try log.append(["c"]) { $0.matchOffset = Offset(1) })
        #expect(late.isPending)
        harness.commitLog?.commit()
        #expect(next.value?.ranges.first?.start == Offset(1))
        #expect(late.error == .offsetMismatch(tail: Offset(2)))
        #expect(throws: EngineError.offsetMismatch(tail: Offset(2))) {
            try log.append(["d"]) { $0.matchOffset = Offset(9) }
        }
    }

    @Test("after a failure the log reads its committed state and takes no more writes")
    func failure() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        _ = try log.put("k", "kept")
        harness.commitLog?.commit()
        let lost = Settled(try log.put("k", "lost"))
        let waiting = Settled(try log.increment("k"))
        harness.commitLog?.failAll("the disk is gone")
        #expect(lost.error == .outcomeUnknown(reason: "the disk is gone"))
        #expect(waiting.error == .logReadOnly(log: "log", reason: "the disk is gone"))
        #expect(log.get("k") == "kept")
        #expect(try log.values() == ["kept"])
        #expect(throws: EngineError.logReadOnly(log: "log", reason: "the disk is gone")) {
            try log.put("k", "no")
        }
    }

    @Test("a call over several partitions commits in all of them at one instant")
    func severalPartitions() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log { $0.partitions = 4 }
        let keys = (0..<40).map { "key-\($0)" }
        let result = Settled(try log.append(keys, keys: keys))
        #expect(try log.keys(prefix: [], startAfter: nil, limit: 100).records.isEmpty)
        harness.commitLog?.commit()
        #expect(try log.keys(prefix: [], startAfter: nil, limit: 100).records.count == 40)
        #expect(result.value?.ranges.count == 4)
        #expect(result.value?.ranges.reduce(0) { $0 + $1.end.rawValue - $1.start.rawValue } == 40)
    }

    @Test("a call that cannot be done leaves nothing in any partition")
    func nothingApplied() throws {
        let log = try EngineHarness().log { $0.partitions = 2 }
        var draft = Draft.of(["a", "b"])
        draft.partitions = [0, 7]
        #expect(throws: EngineError.partitionOutOfRange(partition: 7, partitions: 2)) {
            try log.append(draft, AppendOptions())
        }
        #expect(try log.bounds(partition: 0).tail == .zero)
    }

    @Test("an acknowledgement that the log cannot give is refused before anything is written")
    func acknowledgement() throws {
        let log = try EngineHarness().log()
        #expect(throws: EngineError.acknowledgementUnavailable(requested: .disk, available: .memory)) {
            try log.put("k", "v") { $0.acknowledgement = .disk }
        }
        #expect(log.get("k") == nil)
    }
}
