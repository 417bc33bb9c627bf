/// What the log knows of each idempotent producer: its epoch, its last sequence and the answers to its last five calls.
struct ProducerTable {
    static let rememberedCallsMax = 5
    static let forgottenAfterMilliseconds: Int64 = 7 * 24 * 3_600_000
    /// Beyond it the producer that was idle longest is forgotten.
    static let producersMax = 100_000

    struct Call {
        let sequence: Int64
        let ranges: [OffsetRange]
        /// While its entry is not decided, a duplicate has to wait for it.
        let entry: CommitEntry?
    }

    private struct Producer {
        var epoch: Int64
        var lastSequence: Int64
        var calls: [Call] = []
        var lastUsed: Int64
    }

    enum Verdict {
        case new
        case duplicate(Call)
    }

    private var producers: [String: Producer] = [:]

    /// - Throws: `producerFenced` for an older epoch, `producerGap` for a sequence that is not the next.
    func judge(_ stamp: ProducerStamp) throws(EngineError) -> Verdict {
        guard let producer = producers[stamp.id], producer.epoch <= stamp.epoch else {
            if let newer = producers[stamp.id] { throw .producerFenced(currentEpoch: newer.epoch) }
            if stamp.sequence != 0 { throw .producerGap(expectedSequence: 0) }
            return .new
        }
        if stamp.epoch > producer.epoch {
            if stamp.sequence != 0 { throw .producerGap(expectedSequence: 0) }
            return .new
        }
        if let call = producer.calls.first(where: { $0.sequence == stamp.sequence }) {
            return .duplicate(call)
        }
        let expected = producer.lastSequence == Int64.max ? Int64.max : producer.lastSequence + 1
        if stamp.sequence != expected { throw .producerGap(expectedSequence: expected) }
        return .new
    }

    mutating func record(_ stamp: ProducerStamp, ranges: [OffsetRange], entry: CommitEntry?, now: Int64) {
        var producer = producers[stamp.id] ?? Producer(epoch: stamp.epoch, lastSequence: -1, lastUsed: now)
        if producer.epoch != stamp.epoch {
            producer = Producer(epoch: stamp.epoch, lastSequence: -1, lastUsed: now)
        }
        producer.lastSequence = stamp.sequence
        producer.lastUsed = now
        producer.calls.append(Call(sequence: stamp.sequence, ranges: ranges, entry: entry))
        if producer.calls.count > Self.rememberedCallsMax { producer.calls.removeFirst() }
        producers[stamp.id] = producer
        if producers.count > Self.producersMax { forgetIdle(now: now) }
    }

    /// The calls that are certain, oldest first: what a checkpoint keeps.
    var decidedCalls: [ProducerCall] { calls { $0.entry?.isCommitted ?? true } }

    /// Those that are not decided too.
    var allCalls: [ProducerCall] { calls { !$0.ranges.isEmpty || $0.entry?.isCommitted ?? true } }

    private func calls(_ isChosen: (Call) -> Bool) -> [ProducerCall] {
        producers.flatMap { id, producer in
            producer.calls.filter(isChosen).map { call in
                ProducerCall(
                    stamp: ProducerStamp(id: id, epoch: producer.epoch, sequence: call.sequence),
                    ranges: call.ranges, time: producer.lastUsed)
            }
        }
    }

    /// A call that was made before the server was started; those that are known, or older, change nothing.
    mutating func restore(_ call: ProducerCall) {
        if let known = producers[call.stamp.id] {
            if known.epoch > call.stamp.epoch { return }
            if known.epoch == call.stamp.epoch, known.lastSequence >= call.stamp.sequence { return }
        }
        record(call.stamp, ranges: call.ranges, entry: nil, now: call.time)
    }

    private mutating func forgetIdle(now: Int64) {
        producers = producers.filter { $0.value.lastUsed > now - Self.forgottenAfterMilliseconds }
        if producers.count > Self.producersMax,
            let idlest = producers.min(by: { $0.value.lastUsed < $1.value.lastUsed })
        {
            producers[idlest.key] = nil
        }
    }
}
