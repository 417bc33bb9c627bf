import Platform
import StorageEngine
import Support
import Testing

@Suite("Retries do no harm: producers and idempotency keys")
struct RetryTests {
    private func append(_ log: Log, _ value: String, epoch: Int64 = 1, sequence: Int64) throws -> Outcome<
        AppendResult
    > {
        try log.append([value]) { $0.producer = ProducerStamp(id: "p", epoch: epoch, sequence: sequence) }
    }

    @Test("a repeated sequence is answered with the first answer's ranges and appends nothing")
    func duplicate() throws {
        let log = try EngineHarness().log()
        let first = try append(log, "a", sequence: 0).value()
        _ = try append(log, "b", sequence: 1).value()
        let again = try append(log, "a", sequence: 0).value()
        #expect(again.isDuplicate)
        #expect(again.ranges == first.ranges)
        #expect(try log.values() == ["a", "b"])
    }

    @Test("gaps, older epochs and a new epoch that does not start at zero are refused with what is expected")
    func refusals() throws {
        let log = try EngineHarness().log()
        #expect(throws: EngineError.producerGap(expectedSequence: 0)) { try append(log, "x", sequence: 3) }
        _ = try append(log, "a", epoch: 5, sequence: 0)
        #expect(throws: EngineError.producerGap(expectedSequence: 1)) {
            try append(log, "x", epoch: 5, sequence: 2)
        }
        #expect(throws: EngineError.producerFenced(currentEpoch: 5)) {
            try append(log, "x", epoch: 4, sequence: 0)
        }
        #expect(throws: EngineError.producerGap(expectedSequence: 0)) {
            try append(log, "x", epoch: 6, sequence: 1)
        }
        _ = try append(log, "b", epoch: 6, sequence: 0)
        #expect(try log.values() == ["a", "b"])
    }

    @Test("a call that failed is not remembered")
    func failedCall() throws {
        let log = try EngineHarness().log()
        #expect(throws: EngineError.self) {
            try log.append(["a"]) {
                $0.producer = ProducerStamp(id: "p", epoch: 1, sequence: 0)
                $0.matchOffset = Offset(7)
            }
        }
        #expect(try !append(log, "a", sequence: 0).value().isDuplicate)
    }

    @Test("a duplicate of a call that is not durable yet waits for it")
    func pendingDuplicate() throws {
        let harness = EngineHarness(holdingCommits: true)
        let log = try harness.log()
        let first = Settled(try append(log, "a", sequence: 0))
        let again = Settled(try append(log, "a", sequence: 0))
        #expect(again.isPending)
        harness.commitLog?.commit()
        #expect(first.value?.isDuplicate == false)
        #expect(again.value?.isDuplicate == true)
        #expect(try log.values() == ["a"])
    }

    private let answer = IdempotencyReceipts.Answer(status: 201, contentType: nil, fields: [], body: [1])

    private func begin(
        _ receipts: IdempotencyReceipts, _ key: String, digest: UInt8 = 0,
        _ twin: @escaping @Sendable () -> Void = {}
    )
        -> IdempotencyReceipts.Beginning
    { receipts.begin(scope: Array(key.utf8), bodyDigest: [digest], whenDecided: twin) }

    @Test("a receipt replays for ten minutes, refuses another body, and is forgotten then")
    func receipts() {
        let clock = Clock(frozenAt: 1000)
        let receipts = IdempotencyReceipts(clock: clock)
        guard case .first(let claim) = begin(receipts, "k") else { return #expect(Bool(false)) }
        claim.finish(answer)
        guard case .replay(answer) = begin(receipts, "k") else { return #expect(Bool(false)) }
        guard case .mismatch = begin(receipts, "k", digest: 1) else { return #expect(Bool(false)) }
        clock.advance(milliseconds: 600_000)
        guard case .first = begin(receipts, "k") else { return #expect(Bool(false)) }
    }

    @Test("receipts of a clock that was set back since are forgotten ten minutes later")
    func clockSetBack() {
        let clock = Clock(frozenAt: 1_700_000_000_000)
        let receipts = IdempotencyReceipts(clock: clock)
        guard case .first(let claim) = begin(receipts, "k") else { return #expect(Bool(false)) }
        claim.finish(answer)
        clock.advance(milliseconds: -3_600_000)
        guard case .replay(answer) = begin(receipts, "k") else { return #expect(Bool(false)) }
        clock.advance(milliseconds: 600_000)
        guard case .first = begin(receipts, "k") else { return #expect(Bool(false)) }
    }

    @Test("a twin waits while the first runs and is told once it is decided")
    func twins() {
        let receipts = IdempotencyReceipts(clock: Clock(frozenAt: 0))
        let told = Counter()
        guard case .first(let claim) = begin(receipts, "k") else { return #expect(Bool(false)) }
        guard case .running = begin(receipts, "k", { told.increment() }) else { return #expect(Bool(false)) }
        claim.abandon()
        #expect(told.value == 1)
        guard case .first = begin(receipts, "k") else { return #expect(Bool(false)) }
    }

    @Test("a full budget refuses new keys and takes them again when old ones are forgotten")
    func budget() {
        let clock = Clock(frozenAt: 0)
        let receipts = IdempotencyReceipts(clock: clock, budgetBytes: 1000)
        var number = 0
        while case .first(let claim) = begin(receipts, "key-\(number)") {
            claim.finish(answer)
            number += 1
        }
        #expect(number > 1 && number < 10)
        clock.advance(milliseconds: 600_000)
        guard case .first = begin(receipts, "new") else { return #expect(Bool(false)) }
    }
}
