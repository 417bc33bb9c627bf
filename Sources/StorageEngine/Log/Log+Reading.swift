import HeapModule
import Platform
import Synchronization

// Reading records by place and keys in order; waiting for what comes.
extension Log {
    /// - Parameters:
    ///   - maxBytes: of keys and values; at least one record comes.
    ///   - clamps: moves a start that is trimmed or beyond the tail to the nearest place instead of throwing.
    ///   - archived: what becomes of records in the archive. So many are fetched as may be held at once, but one at least:
    ///     then fewer records come than there are.
    /// - Throws: `offsetOutOfRange`, `offsetTrimmed`, `partitionOutOfRange`, `logDeleted`, `archiveUnavailable`,
    ///   `archiveDamaged`, `archived`.
    package func read(
        partition number: Int, from start: ReadStart, limit: Int, maxBytes: Int, clamps: Bool,
        archived: ArchivedValues = .fetched
    ) throws(EngineError) -> ReadResult {
        let (found, hasStubs) = try partition(number).read(
            from: start, limit: limit, maxBytes: maxBytes, clamps: clamps)
        let result = hasStubs ? try load(found, archived) : found
        readCount.wrappingAdd(result.records.count, ordering: .relaxed)
        readBytes.wrappingAdd(result.records.reduce(0) { $0 + $1.value.count }, ordering: .relaxed)
        return result
    }

    private func load(_ result: ReadResult, _ archived: ArchivedValues) throws(EngineError) -> ReadResult {
        let loaded = try load(result.records, archived)
        let isWhole = loaded.count == result.records.count
        return ReadResult(
            records: loaded, next: isWhole ? result.next : result.records[loaded.count].offset,
            tail: result.tail, first: result.first)
    }

    /// First kept and tail of a partition.
    package func bounds(partition number: Int) throws(EngineError) -> (first: Offset, tail: Offset) {
        try partition(number).bounds()
    }

    /// Calls `wake` once, from the notifier's thread, when the partition's tail passes `offset`, the log is deleted or the
    /// engine stops. Nil when the tail is already beyond, or the partition is gone: read again at once.
    package func waitForRecords(
        partition number: Int, beyond offset: Offset, _ wake: @escaping @Sendable () -> Void
    ) -> ReadWaiter? {
        guard partitions.indices.contains(number) else { return nil }
        return partitions[number].wait(beyond: offset.rawValue, wake)
    }

    package var keyCount: Int { partitions.reduce(0) { $0 + $1.keyCount } }

    /// Live keys in byte order, as of one instant.
    ///
    /// - Parameter archived: what becomes of records in the archive; a list of which not all can be held ends early.
    /// - Throws: `archiveUnavailable`, `archiveDamaged`, `archived`.
    /// - Complexity: O(records of the log × log limit): call it off the event loop when `keyCount` is large.
    package func keys(
        prefix: [UInt8], startAfter: [UInt8]?, limit: Int, archived: ArchivedValues = .fetched
    ) throws(EngineError) -> KeyListing {
        struct Candidate: Comparable {
            let key: UnsafeRawBufferPointer
            let view: Int
            let row: Int
            static func < (left: Self, right: Self) -> Bool { precedes(left.key, right.key) }
            static func == (left: Self, right: Self) -> Bool { equalBytes(left.key, right.key) }
        }
        let (now, views) = cut()
        // The smallest limit + 1 keys: the one over tells whether there are more.
        var smallest = Heap<Candidate>()
        for (index, view) in views.enumerated() where view.header.keyBytes > 0 {
            for row in view.rows where view.header.isNewest(row) && view.header.isPresent(row) {
                guard let key = view.header.key(row), view.header.deadline(row) > now,
                    key.starts(with: prefix),
                    startAfter.map({ $0.withUnsafeBytes { precedes($0, key) } }) ?? true
                else { continue }
                let candidate = Candidate(key: key, view: index, row: row)
                if smallest.count > limit {
                    guard let largest = smallest.max, candidate < largest else { continue }
                    smallest.removeMax()
                }
                smallest.insert(candidate)
            }
        }
        let hasMore = smallest.count > limit
        if hasMore { smallest.removeMax() }
        var records: [Record] = []
        while let next = smallest.popMin() {
            records.append(views[next.view].record(next.row))
        }
        let loaded = try load(records, archived)
        return KeyListing(records: loaded, hasMore: hasMore || loaded.count < records.count)
    }
}

extension Partition {
    var keyCount: Int { state.withLock { $0.index.count } }

    func bounds() -> (first: Offset, tail: Offset) {
        state.withLock { (Offset($0.first), Offset($0.committed)) }
    }

    func read(
        from start: ReadStart, limit: Int, maxBytes: Int, clamps: Bool
    ) throws(EngineError) -> (result: ReadResult, hasStubs: Bool) {
        try state.withLock { state throws(EngineError) in
            if state.isDeleted { throw .logDeleted }
            let offset = try self.offset(of: start, state, clamps: clamps)
            let (records, next, hasStubs) = state.read(
                from: offset, limit: limit, maxBytes: maxBytes, partition: number, now: { clock.now() })
            let result = ReadResult(
                records: records, next: Offset(next), tail: Offset(state.committed),
                first: Offset(state.first))
            return (result, hasStubs)
        }
    }

    private func offset(
        of start: ReadStart, _ state: borrowing PartitionState, clamps: Bool
    ) throws(EngineError) -> Int64 {
        switch start {
        case .firstKept: return state.first
        case .timestamp(let timestamp): return state.offset(atOrAfter: timestamp)
        case .last(let count): return state.offset(ofLast: count, now: clock.now())
        case .offset(let offset):
            if clamps { return min(max(offset.rawValue, state.first), state.committed) }
            if offset.rawValue > state.committed { throw .offsetOutOfRange(tail: Offset(state.committed)) }
            if offset.rawValue < state.first { throw .offsetTrimmed(first: Offset(state.first)) }
            return offset.rawValue
        }
    }

    /// The value at exactly this offset, used inside the lock: the cheapest read in process. False for a hole, and for
    /// what is in the archive.
    @inline(__always)
    func withValue(at offset: Offset, _ body: (UnsafeRawBufferPointer) -> Void) -> Bool {
        state.withLock { state in
            guard offset.rawValue >= state.first, offset.rawValue < state.committed else { return false }
            let position = state.list.position(of: offset.rawValue)
            guard position < state.list.count else { return false }
            let header = state.list.headers[position]
            guard let row = header.pointee.row(of: offset.rawValue), header.pointee.isPresent(row) else {
                return false
            }
            if header.pointee.isStub { return false }
            let deadline = header.pointee.deadline(row)
            if deadline != Deadline.never, deadline <= clock.now() { return false }
            body(header.pointee.value(row))
            return true
        }
    }
}
