import Platform

/// What a branch comes to, worked out under all locks before anything is written: each operation sees those before it.
struct TransactionPlan {
    /// One row to be written.
    struct Write {
        let log: Log
        let partition: Partition
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

    private struct Place: Hashable {
        let partition: ObjectIdentifier
        let key: [UInt8]
    }

    private let logs: [String: Log]
    private let unkeyed: [String: Int]
    private let now: Int64
    private(set) var writes: [Write] = []
    private var planned: [Planned] = []
    /// The last write of the branch to each key.
    private var newest: [Place: Int] = [:]

    init(logs: [String: Log], unkeyed: [String: Int], now: Int64) {
        self.logs = logs
        self.unkeyed = unkeyed
        self.now = now
    }

    // MARK: Requirements

    func holds(_ requirement: Transaction.Requirement) -> Bool {
        let record = logs[requirement.log].flatMap { log -> (record: Record, log: Log)? in
            stored(requirement.key, in: log).map { ($0, log) }
        }
        switch requirement.test {
        case .exists(let isExpected): return (record != nil) == isExpected
        case .revision(let revision):
            guard let record, let revision else { return false }
            return revision
                == Revision(
                    partition: record.record.partition, offset: record.record.offset, epoch: record.log.epoch)
        case .value(let isEqual):
            guard let record = record?.record else { return false }
            return isEqual(record.value, record.type)
        }
    }

    private func partition(of key: [UInt8], in log: Log) -> Partition {
        log.partitions[log.partition(ofKey: key.span.bytes)]
    }

    private func stored(_ key: [UInt8], in log: Log) -> Record? {
        let partition = partition(of: key, in: log)
        return key.withUnsafeBytes { key in
            partition.state.withLocked { state in
                guard let place = state.place(of: key, partition.hash(key)),
                    let (position, row) = state.liveRow(at: place, now: { now })
                else { return nil }
                if state.policy.eviction == .lru { state.markVisited(position, row) }
                return state.list.batches[position].record(row, partition: partition.number)
            }
        }
    }

    // MARK: Operations

    mutating func add(_ operation: Transaction.Operation) throws(EngineError) {
        guard let log = logs[operation.log] else {
            planned.append(.missing)
            return
        }
        if case .get(let key) = operation.action {
            switch current(key, in: log) {
            case .absent: planned.append(.missing)
            case .stored(let record): planned.append(.found(record, epoch: log.epoch))
            case .written(let index): planned.append(.own(index))
            }
            return
        }
        for partition in log.partitions.prefix(1) {
            try partition.state.withLocked { state throws(EngineError) in try partition.checkWritable(state) }
        }
        switch operation.action {
        case .get: break
        case .put(let put): add(put, to: log)
        case .delete(let key): delete(key, from: log)
        case .increment(let key, let options): try increment(key, options, in: log)
        case .append(let append): try add(append, to: log)
        }
    }

    private func current(_ key: [UInt8], in log: Log) -> Current {
        let partition = partition(of: key, in: log)
        if let index = newest[Place(partition: ObjectIdentifier(partition), key: key)] {
            let write = writes[index]
            return write.type.isTombstone || write.deadline <= now ? .absent : .written(index)
        }
        return stored(key, in: log).map { .stored($0) } ?? .absent
    }

    private func deadline(_ expiry: Expiry, _ current: Current, _ log: Log) -> Int64 {
        switch expiry {
        case .logDefault:
            return log.configuration.ttlMilliseconds.map { addingSaturated(now, $0) } ?? Deadline.never
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
        if let key = write.key {
            newest[Place(partition: ObjectIdentifier(write.partition), key: key)] = writes.count - 1
        }
        return writes.count - 1
    }

    private mutating func add(_ put: Transaction.Put, to log: Log) {
        let current = put.options.expiry == .keep ? current(put.key, in: log) : .absent
        let index = write(
            Write(
                log: log, partition: partition(of: put.key, in: log), key: put.key, value: put.value,
                extras: put.options.extras, type: put.options.type,
                deadline: deadline(put.options.expiry, current, log), priority: put.options.priority,
                timestamp: now, arrival: now))
        planned.append(.written(index))
    }

    /// Nothing to delete is no failure: the result says so.
    private mutating func delete(_ key: [UInt8], from log: Log) {
        if case .absent = current(key, in: log) {
            planned.append(.missing)
            return
        }
        let index = write(
            Write(
                log: log, partition: partition(of: key, in: log), key: key, value: [], extras: [],
                type: .deleted, deadline: Deadline.never, priority: 0, timestamp: now, arrival: now))
        planned.append(.written(index))
    }

    private mutating func increment(
        _ key: [UInt8], _ options: IncrementOptions, in log: Log
    ) throws(EngineError) {
        let current = current(key, in: log)
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
        var deadline = deadline(isAbsent ? .logDefault : .keep, current, log)
        if isAbsent || options.refreshesExpiry, let ttl = options.ttlMilliseconds {
            deadline = addingSaturated(now, ttl)
        }
        let index = write(
            Write(
                log: log, partition: partition(of: key, in: log), key: key, value: Array(String(sum).utf8),
                extras: [], type: .json, deadline: deadline, priority: priority, timestamp: now, arrival: now)
        )
        planned.append(.incremented(sum, index))
    }

    private mutating func add(_ append: Transaction.Append, to log: Log) throws(EngineError) {
        let partition: Partition
        if let key = append.key {
            partition = self.partition(of: key, in: log)
        } else {
            partition = try log.partition(append.partition ?? unkeyed[log.name] ?? 0)
        }
        let isTombstone = append.type.isTombstone
        let index = write(
            Write(
                log: log, partition: partition, key: append.key, value: append.value, extras: append.extras,
                type: append.type,
                deadline: isTombstone ? Deadline.never : deadline(append.expiry, .absent, log),
                priority: append.priority, timestamp: append.timestamp ?? now, arrival: now))
        planned.append(.written(index))
    }

    // MARK: Room and effect

    /// Refuses before anything is written what the budgets of the logs have no room for.
    func admit() throws(EngineError) {
        var needs: [ObjectIdentifier: (partition: Partition, usage: ColumnPlan.Usage, isFree: Bool)] = [:]
        for write in writes {
            let id = ObjectIdentifier(write.partition)
            var need = needs[id] ?? (write.partition, ColumnPlan.Usage(), true)
            let usage = write.withRow { $0.usage }
            need.usage.add(usage)
            need.usage.columns.formUnion(usage.columns)
            if !write.type.isTombstone { need.isFree = false }
            needs[id] = need
        }
        var bytes: [ObjectIdentifier: (account: MemoryAccount, bytes: Int)] = [:]
        for need in needs.values where !need.isFree {
            let missing = need.partition.state.withLocked { $0.bytesToOpen(for: need.usage) }
            let account = need.partition.account
            bytes[ObjectIdentifier(account), default: (account, 0)].bytes += missing
        }
        for need in bytes.values where need.bytes > 0 { try need.account.admit(bytes: need.bytes) }
    }

    /// - Returns: the rows of each partition, in the order given.
    mutating func write(in partitions: [Partition]) -> [CommitEntry.Part] {
        let starts = partitions.map { $0.state.withLocked { $0.assigned } }
        for index in writes.indices {
            let write = writes[index]
            writes[index].offset = write.partition.state.withLocked { state in
                write.withRow { row in
                    state.makeFreeRoom(for: row)
                    state.write(row)
                }
                return state.assigned - 1
            }
        }
        return zip(partitions, starts).map { partition, start in
            CommitEntry.Part(
                partition: partition, start: start, end: partition.state.withLocked { $0.assigned })
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
