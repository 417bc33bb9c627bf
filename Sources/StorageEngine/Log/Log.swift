import Platform

/// A named, partitioned, append-only log and the keys over it.
package final class Log: Sendable {
    package let name: String
    package let epoch: Epoch
    package var configuration: LogConfiguration { fatalError("skeleton") }
    package let partitionCount: Int
    package var isDeleted: Bool { fatalError("skeleton") }

    init() { fatalError("skeleton") }

    /// The partition that keyed records go to: XXH3 (seed 0) of the key modulo the partition count.
    package func partition(ofKey key: RawSpan) -> Int { fatalError("skeleton") }

    // MARK: Writing

    /// Appends all records of the draft or none. A keyed record whose type is a tombstone deletes its key.
    package func append(_ draft: Draft, _ options: AppendOptions) throws(EngineError) -> Outcome<AppendResult> {
        fatalError("skeleton")
    }

    package func put(key: RawSpan, value: RawSpan, _ options: PutOptions) throws(EngineError) -> Outcome<PutResult> {
        fatalError("skeleton")
    }

    /// - Throws: `keyNotFound` when there is no live key, `preconditionFailed`.
    package func delete(
        key: RawSpan, condition: Condition, acknowledgement: Acknowledgement?
    ) throws(EngineError) -> Outcome<PutResult> { fatalError("skeleton") }

    /// - Throws: `integerOverflow`, `notAnInteger`, `preconditionFailed`.
    package func increment(key: RawSpan, _ options: IncrementOptions) throws(EngineError) -> Outcome<IncrementResult> {
        fatalError("skeleton")
    }

    /// Appends the same value again with another deadline: a new revision.
    package func touch(
        key: RawSpan, expiry: Expiry, condition: Condition, acknowledgement: Acknowledgement?
    ) throws(EngineError) -> Outcome<PutResult> { fatalError("skeleton") }

    /// Drops what lies before `before`, which may be the tail but not beyond it.
    package func trim(partition: Int, before: Offset) throws(EngineError) { fatalError("skeleton") }

    // MARK: Reading

    /// The newest committed record of a key unless it is deleted or expired.
    package func get(key: RawSpan) -> Record? { fatalError("skeleton") }

    /// - Parameters:
    ///   - maxBytes: of keys and values; at least one record comes.
    ///   - clamps: moves a start that is trimmed or beyond the tail to the nearest place instead of throwing.
    /// - Throws: `offsetOutOfRange`, `offsetTrimmed`, `partitionOutOfRange`.
    package func read(
        partition: Int, from start: ReadStart, limit: Int, maxBytes: Int, clamps: Bool
    ) throws(EngineError) -> ReadResult { fatalError("skeleton") }

    /// First kept and tail of a partition.
    package func bounds(partition: Int) throws(EngineError) -> (first: Offset, tail: Offset) { fatalError("skeleton") }

    /// Live keys in byte order. Scans all keys of the log: call it off the event loop when `keyCount` is large.
    package func keys(prefix: [UInt8], startAfter: [UInt8]?, limit: Int) -> KeyListing { fatalError("skeleton") }
    package var keyCount: Int { fatalError("skeleton") }

    /// Calls `wake` once, from the notifier's thread, when the partition's tail passes `offset`, the log is deleted or the
    /// engine stops. Nil when the tail is already beyond: read again at once.
    package func waitForRecords(
        partition: Int, beyond offset: Offset, _ wake: @escaping @Sendable () -> Void
    ) -> ReadWaiter? { fatalError("skeleton") }

    // MARK: Figures

    package func statistics() -> [PartitionStatistics] { fatalError("skeleton") }
    /// Memory charged to this log.
    package func memoryBytes(_ kind: MemoryKind) -> Int { fatalError("skeleton") }
}

/// A registration made by `waitForRecords`.
package final class ReadWaiter: Sendable {
    /// After it returned, `wake` is not called any more unless it was already under way.
    package func cancel() { fatalError("skeleton") }
    init() { fatalError("skeleton") }
}
