import Platform

/// The logs and partitions of a transaction, looked up before anything is locked. A log that does not exist and that
/// the transaction may write to is made, but seen by nobody until the transaction is done.
struct TransactionLocks {
    private(set) var logs: [String: Log] = [:]
    /// Those of `logs` that are not published yet.
    private(set) var newLogs: [String: Log] = [:]
    /// In lock order.
    private var partitions: [Partition] = []
    /// Where the unkeyed appends of each log go.
    private var unkeyed: [String: Int] = [:]

    init(_ transaction: Transaction, _ engine: Engine) throws(EngineError) {
        var touched: [Int: Partition] = [:]
        func touch(_ log: Log, _ key: [UInt8]) {
            let partition = log.partitions[log.partition(ofKey: key.span.bytes)]
            touched[partition.sequence] = partition
        }
        for requirement in transaction.requirements {
            guard let log = logs[requirement.log] ?? engine.log(named: requirement.log) else { continue }
            logs[requirement.log] = log
            touch(log, requirement.key)
        }
        for operation in transaction.then + transaction.otherwise {
            guard let log = try Self.log(for: operation, transaction, engine, &logs, &newLogs) else {
                continue
            }
            if let key = operation.action.key {
                touch(log, key)
            } else if case .append(let append) = operation.action {
                let number = append.partition ?? unkeyed[operation.log] ?? log.partitionForUnkeyed()
                if append.partition == nil { unkeyed[operation.log] = number }
                if log.partitions.indices.contains(number) {
                    touched[log.partitions[number].sequence] = log.partitions[number]
                }
            }
        }
        partitions = touched.values.sorted { $0.sequence < $1.sequence }
    }

    /// Nil: what only looks finds nothing in a log that does not exist.
    private static func log(
        for operation: Transaction.Operation, _ transaction: Transaction, _ engine: Engine,
        _ logs: inout [String: Log], _ newLogs: inout [String: Log]
    ) throws(EngineError) -> Log? {
        if let log = logs[operation.log] ?? engine.log(named: operation.log) {
            logs[operation.log] = log
            return log
        }
        let compaction: LogConfiguration.Compaction
        switch operation.action {
        case .get, .delete: return nil
        case .put, .increment: compaction = .keys
        case .append: compaction = .none
        }
        guard var configuration = transaction.logDefaults else { throw .logNotFound(log: operation.log) }
        configuration.compaction = compaction
        let log = engine.unpublishedLog(named: operation.log, configuration)
        logs[operation.log] = log
        newLogs[operation.log] = log
        return log
    }

    /// - Parameter publish: makes new logs visible; false when one of their names is taken by now.
    func run(
        _ transaction: Transaction, clock: Clock, publish: ([String: Log]) -> Bool
    ) throws(EngineError) -> TransactionAttempt {
        for partition in partitions { partition.state.lock() }
        defer { for partition in partitions.reversed() { partition.state.unlock() } }
        for partition in partitions where partition.state.withLocked({ $0.isDeleted }) { return .changed }
        if let entry = blockingEntry(transaction) { return .blocked(entry) }

        var plan = TransactionPlan(logs: logs, unkeyed: unkeyed, now: clock.now())
        let isCommitted = transaction.requirements.allSatisfy { plan.holds($0) }
        for (index, operation) in (isCommitted ? transaction.then : transaction.otherwise).enumerated() {
            do throws(EngineError) {
                try plan.add(operation)
            } catch {
                throw .transactionFailed(index: index, cause: error)
            }
        }
        let written = Set(plan.writes.map { ObjectIdentifier($0.log) })
        let acknowledgement = try acknowledgement(transaction, written)
        try plan.admit()
        let created = newLogs.filter { written.contains(ObjectIdentifier($0.value)) }
        guard created.isEmpty || publish(created) else { return .changed }

        let touched = partitions.filter { partition in plan.writes.contains { $0.partition === partition } }
        let parts = plan.write(in: touched)
        let result = TransactionResult(
            isCommitted: isCommitted, items: plan.items(), requested: transaction.acknowledgement ?? .memory,
            achieved: acknowledgement)
        guard let commitLog = touched.first?.commitLog else {
            return .done(result, followUps: parts.map { ($0.partition, $0.partition.applyAtOnce($0)) })
        }
        let entry = CommitEntry(parts: parts)
        for part in parts { part.partition.state.withLocked { $0.enqueue(entry, from: part.start) } }
        commitLog.submit(entry)
        return .submitted(result, entry)
    }

    /// An uncommitted entry that decides what a key of the transaction is.
    private func blockingEntry(_ transaction: Transaction) -> CommitEntry? {
        func entry(_ log: String, _ key: [UInt8]) -> CommitEntry? {
            guard let log = logs[log] else { return nil }
            let partition = log.partitions[log.partition(ofKey: key.span.bytes)]
            guard partition.commitLog != nil else { return nil }
            let hash = key.withUnsafeBytes { partition.hash($0) }
            return partition.state.withLocked { $0.pendingKeys[hash] }
        }
        for requirement in transaction.requirements {
            if let entry = entry(requirement.log, requirement.key) { return entry }
        }
        for operation in transaction.then + transaction.otherwise {
            if let key = operation.action.key, let entry = entry(operation.log, key) { return entry }
        }
        return nil
    }

    /// What the writes to these logs survive together.
    private func acknowledgement(
        _ transaction: Transaction, _ written: Set<ObjectIdentifier>
    ) throws(EngineError) -> Acknowledgement {
        var commitLogs: Set<ObjectIdentifier?> = []
        var available = Acknowledgement.memory
        for log in logs.values where written.contains(ObjectIdentifier(log)) {
            let commitLog = log.partitions[0].commitLog
            commitLogs.insert(commitLog.map { ObjectIdentifier($0) })
            available = max(available, commitLog?.acknowledgement ?? .memory)
        }
        if commitLogs.count > 1 {
            throw .notImplemented(feature: "a transaction over logs of unequal durability")
        }
        if let wanted = transaction.acknowledgement, wanted > available {
            throw .acknowledgementUnavailable(requested: wanted, available: available)
        }
        return available
    }
}

extension Transaction.Action {
    var key: [UInt8]? {
        switch self {
        case .get(let key), .delete(let key), .increment(let key, _): key
        case .put(let put): put.key
        case .append(let append): append.key
        }
    }
}
