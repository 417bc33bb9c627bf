import Platform
import StorageEngine
import Support
import Synchronization
import Testing

@Suite("Reading by place, by time, from the end, and waiting")
struct ReadingTests {
    @Test("limits cut an answer short and say where to go on")
    func limits() throws {
        let log = try EngineHarness().log()
        _ = try log.append((0..<10).map { "value-\($0)" })
        let some = try log.read(
            partition: 0, from: .offset(Offset(2)), limit: 3, maxBytes: .max, clamps: false)
        #expect(some.records.map(\.offset.rawValue) == [2, 3, 4])
        #expect(some.next == Offset(5))
        let one = try log.read(partition: 0, from: .firstKept, limit: 100, maxBytes: 1, clamps: false)
        #expect(one.records.count == 1)
        let rest = try log.read(
            partition: 0, from: .offset(Offset(5)), limit: 100, maxBytes: .max, clamps: false)
        #expect(rest.next == rest.tail)
    }

    @Test("a start beyond the tail or below the first is refused with the numbers, or clamped")
    func bounds() throws {
        let log = try EngineHarness().log()
        _ = try log.append(["a", "b", "c"])
        try log.trim(partition: 0, before: Offset(1))
        #expect(throws: EngineError.offsetOutOfRange(tail: Offset(3))) { try log.values(.offset(Offset(4))) }
        #expect(throws: EngineError.offsetTrimmed(first: Offset(1))) { try log.values(.offset(.zero)) }
        #expect(try log.values(.offset(Offset(3))).isEmpty)
        let clamped = try log.read(partition: 0, from: .offset(.zero), limit: 9, maxBytes: .max, clamps: true)
        #expect(clamped.records.count == 2)
        #expect(throws: EngineError.partitionOutOfRange(partition: 1, partitions: 1)) {
            try log.values(partition: 1)
        }
    }

    @Test("by timestamp: the lowest offset at or after it, although timestamps are not in order")
    func timestamps() throws {
        let log = try EngineHarness().log()
        var draft = Draft.of(["a", "b", "c", "d"])
        draft.timestamps = [100, 50, 300, 200]
        _ = try log.append(draft, AppendOptions())
        #expect(try log.values(.timestamp(0)) == ["a", "b", "c", "d"])
        #expect(try log.values(.timestamp(150)) == ["c", "d"])
        #expect(try log.values(.timestamp(301)).isEmpty)
    }

    @Test("the last N count readable records only; zero waits for what comes")
    func last() throws {
        let harness = EngineHarness()
        let log = try harness.log()
        let deadline = harness.clock.now() + 10
        _ = try log.append(["a", "b", "gone", "c"], deadlines: [0, 0, deadline, 0])
        harness.clock.advance(milliseconds: 10)
        #expect(try log.values(.last(2)) == ["b", "c"])
        #expect(try log.values(.last(100)) == ["a", "b", "c"])
        #expect(try log.values(.last(0)).isEmpty)
    }

    @Test("keys are listed in byte order, by prefix, page by page, over all partitions")
    func listing() throws {
        let log = try EngineHarness().log { $0.partitions = 5 }
        for key in (0..<100).shuffled() { _ = try log.put("user:\(1000 + key)", "v") }
        _ = try log.put("other", "v")
        var keys: [String] = []
        var hasMore = true
        while hasMore {
            let page = try log.keys(
                prefix: Array("user:".utf8), startAfter: keys.last.map { Array($0.utf8) }, limit: 7)
            keys += page.records.compactMap { $0.key.map { String(decoding: $0, as: UTF8.self) } }
            hasMore = page.hasMore
        }
        #expect(keys == (0..<100).map { "user:\(1000 + $0)" })
    }

    @Test("a thousand waiting readers are all woken by one append, and each once")
    func waiting() throws {
        let clock = Clock()
        let harness = EngineHarness()
        let log = try harness.log()
        harness.engine.start()
        let woken = Counter()
        let waiters = (0..<1000).map { _ in
            log.waitForRecords(partition: 0, beyond: .zero) { woken.increment() }
        }
        #expect(!waiters.contains { $0 == nil })
        waiters[0]?.cancel()
        _ = try log.append(["a"])
        _ = try log.append(["b"])
        let limit = clock.now() + 10_000
        while woken.value < 999, clock.now() < limit { Clock.pause(milliseconds: 1) }
        Clock.pause(milliseconds: 20)
        #expect(woken.value == 999)
        #expect(log.waitForRecords(partition: 0, beyond: .zero) {} == nil)
        harness.engine.stop()
    }

    @Test("deleting a log and stopping the engine wake who waits")
    func endOfWaiting() throws {
        let harness = EngineHarness()
        let woken = Counter()
        let first = try harness.log("first")
        let second = try harness.log("second")
        _ = first.waitForRecords(partition: 0, beyond: .zero) { woken.increment() }
        _ = second.waitForRecords(partition: 0, beyond: .zero) { woken.increment() }
        try harness.engine.deleteLog(named: "first")
        #expect(woken.value == 1)
        #expect(throws: EngineError.logDeleted) { try first.values() }
        #expect(throws: EngineError.logDeleted) { try first.append(["x"]) }
        harness.engine.stop()
        #expect(woken.value == 2)
    }

    @Test("readers see whole batches of a writer that never stops, in order")
    func concurrent() throws {
        let log = try EngineHarness().log { $0.retention.maxRecords = 5000 }
        let stopping = Counter()
        let writer = Thread(name: "writer") {
            var number = 0
            while stopping.value == 0 {
                _ = try? log.append((0..<10).map { "\(number * 10 + $0)" })
                number += 1
            }
        }
        for _ in 0..<300 {
            let result = try log.read(
                partition: 0, from: .firstKept, limit: 1000, maxBytes: .max, clamps: true)
            #expect(result.tail.rawValue % 10 == 0)
            #expect(
                result.records.allSatisfy {
                    String(decoding: $0.value, as: UTF8.self) == "\($0.offset.rawValue)"
                })
        }
        stopping.increment()
        writer.join()
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .sequentiallyConsistent) }
    func increment() { count.wrappingAdd(1, ordering: .sequentiallyConsistent) }
}
