import Platform

/// What a branch comes to, worked out under all locks before anything is written: each operation sees those before it.
struct TransactionPlan {
    /// One row to be written.
    struct Write {
        let target: TransactionTarget
        let key: [UInt8]?
        let value: [UInt8]
        let extras: [UInt8]
        let type: RecordType
        let deadline: Int64
        let priority: UInt8
        let timestamp: Int64
        let arrival: Int64
        /// Once it is written.
        var offset: Int64 = 0
    }

    private enum Planned {
        case found(Record, epoch: Epoch)
        case missing
        case written(Int)
        case incremented(Int64, Int)
        /// Reads what the write at this place will have written.
        case own(Int)
    }

    /// A key as it stands at this point of the branch.
    private enum Current {
        case absent
        case stored(Record)
        case written(Int)
    }

    /// All that are locked, in lock order.
    private let partitions: [Partition]
    private let now: Int64
    private(set) var writes: [Write] = []
    private var planned: [Planned] = []
    private var comparedBytes = 0
    private static let comparedBytesMax = 64 << 20
    /// Batches that were fetched from the archive for it.
    private let wholes: [WholeBatch]
    /// Those that it needs besides.
    private(set) var missing: [Batch] = []

    init(partitions: [Partition], now: Int64, wholes: [WholeBatch]) {
        self.partitions = partitions
        self.now = now
        self.wholes = wholes
    }

    // MARK: Requirements

    /// - Throws: `recordTooLarge` when the values to compare are too large together to be looked at under the locks.
    mutating func holds(
        _ requirement: Transaction.Requirement, _ target: TransactionTarget?
    ) throws(EngineError) -> Bool {
        var record: Record?
        if let target {
            record = try stored(requirement.key, target, needsValue: requirement.test.needsValue)
        }
        switch requirement.test {
        case .exists(let isExpected): return (record != nil) == isExpected
        case .revision(let revision):
            guard let record, let revision, let target else { return false }
            return revision
                == Revision(partition: record.partition, offset: record.offset, epoch: target.log.epoch)
        case .value(let isEqual):
            guard let record else { return false }
            comparedBytes += record.value.count
            guard comparedBytes <= Self.comparedBytesMax else {
                throw .recordTooLarge(limit: Self.comparedBytesMax, size: comparedBytes)
            }
            return isEqual(record.value, record.type)
        }
    }

    /// - Throws: `archived` when its value is needed and has to be fetched first; `missing` has its batch then.
    private mutating func stored(
        _ key: [UInt8], _ target: TransactionTarget, needsValue: Bool
    ) throws(EngineError) -> Record? {
        guard let record = stored(key, target) else { return nil }
        guard needsValue, record.isElsewhere else { return record }
        guard let whole = wholes.first(where: { $0.stub === record.batch })?.batch,
            let row = whole.header.pointee.row(of: record.offset.rawValue)
        else {
            missing.append(record.batch)
            throw .archived
        }
        return whole.record(row, partition: record.partition)
    }

    private func stored(_ key: [UInt8], _ target: TransactionTarget) -> Record? {
        key.withUnsafeBytes { key in
            target.partition.state.withLocked { state in
                guard let found = state.findLive(key, target.hash, now: { now }) else { return nil }
                if state.policy.eviction == .lru { state.markVisited(found.position, found.row) }
                return state.list.batches[found.position].record(
                    found.row, partition: target.partition.number)
            }
        }
    }

    // MARK: Operations

    /// - Parameters:
    ///   - target: nil in a log that does not exist, or for a partition that it does not have.
    ///   - log: the operation's, if it exists.
    mutating func add(
        _ operation: Transaction.Operation, _ target: TransactionTarget?, in log: Log?
    ) throws(EngineError) {
        guard let target else {
            if let log, case .append(let append) = operation.action {
                throw .partitionOutOfRange(
                    partition: append.partition ?? 0, partitions: log.partitionCount)
            }
            planned.append(.missing)
            return
        }
        if case .get(let key) = operation.action {
            switch try current(key, target) {
            case .absent: planned.append(.missing)
            case .stored(let record): planned.append(.found(record, epoch: target.log.epoch))
            case .written(let index): planned.append(.own(index))
            }
            return
        }
        try target.partition.state.withLocked { state throws(EngineError) in
            try target.partition.checkWritable(state, freesSpace: operation.action.frees)
        }
        switch operation.action {
        case .get: break
        case .put(let put): try add(put, target)
        case .delete(let key): try delete(key, target)
        case .increment(let key, let options): try increment(key, options, target)
        case .append(let append): add(append, target)
        }
    }

    /// - Complexity: O(writes so far), each a comparison of two numbers.
    private mutating func current(
        _ key: [UInt8], _ target: TransactionTarget, needsValue: Bool = true
    ) throws(EngineError) -> Current {
        let last = writes.lastIndex {
            $0.target.hash == target.hash && $0.target.slot == target.slot && $0.key == key
        }
        if let last {
            let write = writes[last]
            return write.type.isTombstone || write.deadline <= now ? .absent : .written(last)
        }
        return try stored(key, target, needsValue: needsValue).map { .stored($0) } ?? .absent
    }

    private func deadline(_ expiry: Expiry, _ current: Current, _ target: TransactionTarget) -> Int64 {
        switch expiry {
        case .logDefault:
            let ttl = target.partition.state.withLocked { $0.policy.ttlMilliseconds }
            return ttl.map { addingSaturated(now, $0) } ?? Deadline.never
        case .at(let milliseconds): return milliseconds
        case .never: return Deadline.never
        case .keep:
            switch current {
            case .absent: return Deadline.never
            case .stored(let record): return record.deadline
            case .written(let index): return writes[index].deadline
            }
        }
    }

    private mutating func write(_ write: Write) -> Int {
        writes.append(write)
        return writes.count - 1
    }

    private mutating func add(
        _ put: Transaction.Put, _ target: TransactionTarget
    ) throws(EngineError) {
        let current =
            put.options.expiry == .keep ? try current(put.key, target, needsValue: false) : .absent
        let index = write(
            Write(
                target: target, key: put.key, value: put.value,
                extras: put.options.extras, type: put.options.type,
                deadline: deadline(put.options.expiry, current, target), priority: put.options.priority,
                timestamp: now, arrival: now))
        planned.append(.written(index))
    }

    /// Nothing to delete is no failure: the result says so.
    private mutating func delete(
        _ key: [UInt8], _ target: TransactionTarget
    ) throws(EngineError) {
        if case .absent = try current(key, target, needsValue: false) {
            planned.append(.missing)
            return
        }
        let index = write(
            Write(
                target: target, key: key, value: [], extras: [],
                type: .deleted, deadline: Deadline.never, priority: 0, timestamp: now, arrival: now))
        planned.append(.written(index))
    }

    private mutating func increment(
        _ key: [UInt8], _ options: IncrementOptions, _ target: TransactionTarget
    ) throws(EngineError) {
        let current = try current(key, target)
        var old: Int64 = 0
        var priority: UInt8 = 0
        var isAbsent = false
        switch current {
        case .absent: isAbsent = true
        case .stored(let record):
            old = try DecimalInteger.parse(record.value)
            priority = record.priority
        case .written(let index):
            let value = writes[index].value
            old = try value.span.bytes.withUnsafeBytes { bytes throws(EngineError) in
                try DecimalInteger.parse(bytes)
            }
            priority = writes[index].priority
        }
        let (sum, overflow) = old.addingReportingOverflow(options.by)
        if overflow { throw .integerOverflow }
        var deadline = deadline(isAbsent ? .logDefault : .keep, current, target)
        if isAbsent || options.refreshesExpiry, let ttl = options.ttlMilliseconds {
            deadline = addingSaturated(now, ttl)
        }
        let index = write(
            Write(
                target: target, key: key, value: Array(String(sum).utf8),
                extras: [], type: .json, deadline: deadline, priority: priority, timestamp: now, arrival: now)
        )
        planned.append(.incremented(sum, index))
    }

    private mutating func add(_ append: Transaction.Append, _ target: TransactionTarget) {
        let isTombstone = append.type.isTombstone
        let index = write(
            Write(
                target: target, key: append.key, value: append.value, extras: append.extras,
                type: append.type,
                deadline: isTombstone ? Deadline.never : deadline(append.expiry, .absent, target),
                priority: append.priority, timestamp: append.timestamp ?? now, arrival: now))
        planned.append(.written(index))
    }

    // MARK: Room and effect

    /// A budget without room for what the transaction would write.
    struct Shortage {
        let account: MemoryAccount
        let bytes: Int
        let error: EngineError
    }

    /// Before anything is written: the first budget, of a log or of the server, that has no room for all of it. Deletes
    /// are free.
    func shortage() -> Shortage? {
        var needs = [ColumnPlan.Usage?](repeating: nil, count: partitions.count)
        var isFree = true
        for write in writes {
            let usage = write.withRow { $0.usage }
            var need = needs[write.target.slot] ?? ColumnPlan.Usage()
            need.add(usage)
            need.columns.formUnion(usage.columns)
            needs[write.target.slot] = need
            if !write.type.isTombstone { isFree = false }
        }
        if isFree { return nil }
        var budgets: [(account: MemoryAccount, bytes: Int)] = []
        var total = 0
        for (partition, need) in zip(partitions, needs) {
            guard let need else { continue }
            let bytes = partition.state.withLocked { $0.bytesToOpen(for: need) }
            if bytes == 0 { continue }
            total += bytes
            if let known = budgets.firstIndex(where: { $0.account === partition.account }) {
                budgets[known].bytes += bytes
            } else {
                budgets.append((partition.account, bytes))
            }
        }
        if let server = budgets.first?.account.parent { budgets.append((server, total)) }
        for (account, bytes) in budgets {
            do throws(EngineError) {
                try account.admitHere(bytes: bytes)
            } catch {
                return Shortage(account: account, bytes: bytes, error: error)
            }
        }
        return nil
    }

    /// - Returns: the rows of each partition that has any, in lock order.
    mutating func write() -> [CommitEntry.Part] {
        var starts = [Int64?](repeating: nil, count: partitions.count)
        for index in writes.indices {
            let write = writes[index]
            writes[index].offset = write.partition.state.withLocked { state in
                if starts[write.target.slot] == nil { starts[write.target.slot] = state.assigned }
                write.withRow { row in
                    state.makeFreeRoom(for: row)
                    state.write(row)
                }
                return state.assigned - 1
            }
        }
        return zip(partitions, starts).compactMap { partition, start in
            start.map { start in
                partition.state.withLocked { partition.part(from: start, &$0) }
            }
        }
    }

    /// After `write`. - Complexity: O(operations).
    func items() -> [TransactionResult.Item] {
        planned.map { planned in
            switch planned {
            case .found(let record, let epoch): .found(record, epoch: epoch)
            case .missing: .missing
            case .written(let index): .written(writes[index].revision)
            case .incremented(let value, let index): .incremented(value: value, writes[index].revision)
            case .own(let index):
                writes[index].record.map { .found($0, epoch: writes[index].log.epoch) } ?? .missing
            }
        }
    }
}

extension TransactionPlan.Write {
    var log: Log { target.log }
    var partition: Partition { target.partition }
    var revision: Revision { Revision(partition: partition.number, offset: Offset(offset), epoch: log.epoch) }

    /// What was written, under the partition's lock.
    fileprivate var record: Record? {
        partition.state.withLocked { state in
            let position = state.list.position(of: offset)
            guard position < state.list.count, let row = state.list.headers[position].pointee.row(of: offset)
            else { return nil }
            return state.list.batches[position].record(row, partition: partition.number)
        }
    }

    func withRow<Result>(_ body: (RowDraft) -> Result) -> Result {
        value.withUnsafeBytes { value in
            extras.withUnsafeBytes { extras in
                func row(_ key: UnsafeRawBufferPointer?) -> RowDraft {
                    RowDraft(
                        key: key, value: value, extras: extras, timestamp: timestamp, arrival: arrival,
                        deadline: deadline, type: type, priority: priority)
                }
                guard let key else { return body(row(nil)) }
                return key.withUnsafeBytes { body(row($0)) }
            }
        }
    }
}
