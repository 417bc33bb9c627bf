import Platform

/// What a transaction took the logs to be, which must still be so in the moment it is done.
struct LogLookUp {
    let found: [String: Log]
    let absent: Set<String>
    /// Of the absent ones, those that it writes to.
    let created: [String: Log]
}

/// Where an operation or a requirement looks and writes.
struct TransactionTarget {
    let log: Log
    let partition: Partition
    /// Of the key, in RAM tables; 0 without one.
    let hash: UInt64
    /// The partition's place among those that are locked.
    fileprivate(set) var slot = 0
}

/// The logs and partitions of a transaction, looked up before anything is locked. A log that does not exist and that
/// the transaction may write to is made, but seen by nobody until the transaction is done.
struct TransactionLocks {
    private(set) var logs: [String: Log] = [:]
    /// Those of `logs` that are not published yet.
    private(set) var newLogs: [String: Log] = [:]
    /// Looked for and not found.
    private var absent: Set<String> = []
    /// In lock order.
    private var partitions: [Partition] = []
    /// Of the requirements, then of the operations of both branches, in order. Nil: in a log that does not exist.
    private var targets: [TransactionTarget?] = []
    /// Where the unkeyed appends of each log go.
    private var unkeyed: [String: Int] = [:]

    init(_ transaction: Transaction, _ engine: Engine) throws(EngineError) {
        targets.reserveCapacity(
            transaction.requirements.count + transaction.then.count + transaction.otherwise.count)
        for requirement in transaction.requirements {
            let log = logs[requirement.log] ?? engine.log(named: requirement.log)
            if let log { logs[requirement.log] = log } else { absent.insert(requirement.log) }
            targets.append(log.map { Self.target(requirement.key, in: $0) })
        }
        for branch in [transaction.then, transaction.otherwise] {
            for operation in branch {
                let log = try Self.log(for: operation, transaction, engine, &logs, &newLogs)
                if log == nil { absent.insert(operation.log) }
                targets.append(log.flatMap { target(of: operation, in: $0) })
            }
        }
        partitions = targets.compactMap { $0?.partition }.sorted { $0.sequence < $1.sequence }
        var distinct: [Partition] = []
        for partition in partitions where distinct.last !== partition { distinct.append(partition) }
        partitions = distinct
        for index in targets.indices {
            guard let partition = targets[index]?.partition else { continue }
            let slot = slot(of: partition)
            targets[index]?.slot = slot
        }
    }

    /// - Complexity: O(log partitions).
    private func slot(of partition: Partition) -> Int {
        var low = 0
        var high = partitions.count - 1
        while low < high {
            let middle = (low + high) / 2
            if partitions[middle].sequence < partition.sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func target(_ key: [UInt8], in log: Log) -> TransactionTarget {
        key.withUnsafeBytes { key in
            let partition = log.partitions[log.partition(of: key)]
            return TransactionTarget(log: log, partition: partition, hash: partition.hash(key))
        }
    }

    /// Nil: a partition that the log does not have, which the operation will be refused for.
    private mutating func target(of operation: Transaction.Operation, in log: Log) -> TransactionTarget? {
        if let key = operation.action.key { return Self.target(key, in: log) }
        guard case .append(let append) = operation.action else { return nil }
        let number = append.partition ?? unkeyed[operation.log] ?? log.partitionForUnkeyed()
        if append.partition == nil { unkeyed[operation.log] = number }
        guard log.partitions.indices.contains(number) else { return nil }
        return TransactionTarget(log: log, partition: log.partitions[number], hash: 0)
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

    /// - Parameters:
    ///   - wholes: what was fetched from the archive for it.
    ///   - publish: makes new logs visible, if all logs still are what they were when they were looked up.
    func run(
        _ transaction: Transaction, clock: Clock, wholes: [WholeBatch], publish: (LogLookUp) -> Bool
    ) throws(EngineError) -> TransactionAttempt {
        for partition in partitions { partition.state.lock() }
        defer { for partition in partitions.reversed() { partition.state.unlock() } }
        for partition in partitions where partition.state.withLocked({ $0.isDeleted }) { return .changed }
        if let entry = blockingEntry() { return .blocked(entry) }

        let operationsStart = transaction.requirements.count
        var plan = TransactionPlan(partitions: partitions, now: clock.now(), wholes: wholes)
        var isCommitted = true
        for (requirement, target) in zip(transaction.requirements, targets) where isCommitted {
            do throws(EngineError) {
                isCommitted = try plan.holds(requirement, target)
            } catch {
                if let stub = plan.missing.first { return .archived(stub) }
                throw error
            }
        }
        let branch = isCommitted ? transaction.then : transaction.otherwise
        let branchStart = operationsStart + (isCommitted ? 0 : transaction.then.count)
        for (index, operation) in branch.enumerated() {
            do throws(EngineError) {
                try plan.add(operation, targets[branchStart + index], in: logs[operation.log])
            } catch {
                if let stub = plan.missing.first { return .archived(stub) }
                throw error.isOfTheServer ? error : .transactionFailed(index: index, cause: error)
            }
        }
        let acknowledgement = try acknowledgement(transaction, plan)
        if let shortage = plan.shortage() { return .shortOf(shortage) }
        guard publish(lookUp(plan)) else { return .changed }

        let parts = plan.write()
        let usual = plan.writes.map(\.partition.usualAcknowledgement).max() ?? .memory
        let result = TransactionResult(
            isCommitted: isCommitted, items: plan.items(), requested: transaction.acknowledgement ?? usual,
            achieved: acknowledgement)
        guard let commitLog = CommitEntry.commitLog(of: parts) else {
            return .done(result, followUps: parts.map { ($0.partition, $0.partition.applyAtOnce($0)) })
        }
        let entry = CommitEntry(
            parts: parts, lateEffect: CommitEffect.lateReceipt(transaction.receipt, result))
        for part in parts {
            part.partition.state.withLocked { state in
                state.enqueue(entry, from: part.start)
                // What only lies in memory becomes visible together with what has to be durable.
                if state.commitLog == nil { state.sharedCommitLog = commitLog }
            }
        }
        commitLog.submit(entry)
        return .submitted(result, entry)
    }

    private func lookUp(_ plan: TransactionPlan) -> LogLookUp {
        LogLookUp(
            found: logs.filter { newLogs[$0.key] == nil }, absent: absent.union(newLogs.keys),
            created: newLogs.filter { new in plan.writes.contains { $0.log === new.value } })
    }

    /// An uncommitted entry that decides what a key of the transaction is.
    private func blockingEntry() -> CommitEntry? {
        for case let target? in targets {
            if let entry = target.partition.state.withLocked({ $0.pendingKeys[target.hash] }) { return entry }
        }
        return nil
    }

    /// What the writes survive together.
    private func acknowledgement(
        _ transaction: Transaction, _ plan: TransactionPlan
    ) throws(EngineError) -> Acknowledgement {
        let available =
            plan.writes.map(\.partition.acknowledgement).max() ?? .memory
        if let wanted = transaction.acknowledgement, wanted > available {
            throw .acknowledgementUnavailable(requested: wanted, available: available)
        }
        return available
    }
}

extension Transaction.Action {
    /// Whether it may be done though the disk is full.
    var frees: Bool { if case .delete = self { true } else { false } }

    var key: [UInt8]? {
        switch self {
        case .get(let key), .delete(let key), .increment(let key, _): key
        case .put(let put): put.key
        case .append(let append): append.key
        }
    }
}
