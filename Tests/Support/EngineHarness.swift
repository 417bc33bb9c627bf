import Metrics
import Platform
import StorageEngine

/// A commit log that decides when the test says so: slow, in order, or failing.
package final class HeldCommitLog: CommitLog {
    package let acknowledgement = Acknowledgement.disk
    private let entries = Lock<[CommitEntry]>([])

    package init() {}

    package func submit(_ entry: CommitEntry) { entries.withLock { $0.append(entry) } }

    package var heldCount: Int { entries.withLock { $0.count } }

    /// Commits the oldest entries.
    package func commit(_ count: Int = .max) {
        for entry in take(count) { entry.commit() }
    }

    package func failAll(_ reason: String) {
        for entry in take(.max) { entry.fail(reason) }
    }

    private func take(_ count: Int) -> [CommitEntry] {
        entries.withLock { entries in
            let taken = Array(entries.prefix(count))
            entries.removeFirst(taken.count)
            return taken
        }
    }
}

/// An engine on a clock that stands still, without threads: what is due is done when the test says so.
package struct EngineHarness {
    package let clock = Clock(frozenAt: 1_700_000_000_000)
    package let engine: Engine
    package let commitLog: HeldCommitLog?

    package init(holdingCommits: Bool = false, maxMemoryBytes: Int = 1 << 30) {
        let held = holdingCommits ? HeldCommitLog() : nil
        var configuration = EngineConfiguration()
        configuration.maxMemoryBytes = maxMemoryBytes
        if let held { configuration.makeCommitLog = { _ in held } }
        commitLog = held
        engine = Engine(configuration: configuration, clock: clock, metrics: MetricsRegistry())
    }

    package func log(_ name: String = "log", _ change: (inout LogConfiguration) -> Void = { _ in }) throws
        -> Log
    {
        var configuration = LogConfiguration()
        change(&configuration)
        return try engine.createLog(named: name, configuration).log
    }

    /// Time passes and the maintenance thread has come by.
    package func pass(milliseconds: Int64) {
        clock.advance(milliseconds: milliseconds)
        engine.maintainDue()
        clock.advance(milliseconds: 100)
        engine.maintainDue()
    }
}

extension Outcome {
    /// The value of a write in memory mode. - Throws: `StillPending`.
    package func value() throws -> Value {
        switch self {
        case .done(let value): return value
        case .pending: throw StillPending()
        }
    }
}

package struct StillPending: Error {}

/// The result of a pending write once it is there.
package final class Settled<Value: Sendable>: Sendable {
    private let result = Lock<Result<Value, EngineError>?>(nil)

    package init(_ outcome: Outcome<Value>) {
        switch outcome {
        case .done(let value): result.withLock { $0 = .success(value) }
        case .pending(let ticket): ticket.whenComplete { result in self.result.withLock { $0 = result } }
        }
    }

    package var isPending: Bool { result.withLock { $0 == nil } }
    package var value: Value? { result.withLock { try? $0?.get() } }
    package var error: EngineError? {
        result.withLock { result in
            if case .failure(let error) = result { return error }
            return nil
        }
    }
}

extension Log {
    package func put(_ key: String, _ value: String, _ change: (inout PutOptions) -> Void = { _ in }) throws
        -> Outcome<PutResult>
    {
        var options = PutOptions()
        change(&options)
        return try put(key: Array(key.utf8).span.bytes, value: Array(value.utf8).span.bytes, options)
    }

    package func get(_ key: String) -> String? {
        // Without an archive nothing is refused; what one does not give counts as missing.
        let record = try? get(key: Array(key.utf8).span.bytes)
        return record.map { String(decoding: $0.value, as: UTF8.self) }
    }

    package func delete(_ key: String, if condition: Condition = .none) throws -> Outcome<PutResult> {
        try delete(key: Array(key.utf8).span.bytes, condition: condition, acknowledgement: nil)
    }

    package func increment(_ key: String, _ change: (inout IncrementOptions) -> Void = { _ in }) throws
        -> Outcome<IncrementResult>
    {
        var options = IncrementOptions()
        change(&options)
        return try increment(key: Array(key.utf8).span.bytes, options)
    }

    package func append(
        _ values: [String], keys: [String?] = [], deadlines: [Int64] = [],
        _ change: (inout AppendOptions) -> Void = { _ in }
    ) throws -> Outcome<AppendResult> {
        var options = AppendOptions()
        change(&options)
        return try append(Draft.of(values, keys: keys, deadlines: deadlines), options)
    }

    /// Values of up to `limit` records from `start` on.
    package func values(_ start: ReadStart = .firstKept, partition: Int = 0, limit: Int = 10_000) throws
        -> [String]
    {
        try read(partition: partition, from: start, limit: limit, maxBytes: .max, clamps: false)
            .records.map { String(decoding: $0.value, as: UTF8.self) }
    }
}

extension Draft {
    package static func of(_ values: [String], keys: [String?] = [], deadlines: [Int64] = []) -> Draft {
        let source = ByteBuffer()
        func slice(_ text: String) -> Slice {
            let start = source.count
            source.append(Array(text.utf8))
            return Slice(source: UInt32(start), count: UInt32(text.utf8.count))
        }
        let values = values.map(slice)
        let keys = keys.map { $0.map(slice) ?? .absent }
        var draft = Draft(source: source)
        draft.values = values
        draft.keys = keys
        draft.deadlines = deadlines
        return draft
    }
}
