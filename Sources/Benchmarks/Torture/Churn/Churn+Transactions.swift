import StorageEngine

// Random transactions over two logs, and what the model says of their outcome.
extension Churn {
    /// An operation, and what its result has to be shown to.
    private struct Planned {
        enum Action {
            case get
            case put(number: UInt64, deadline: Int64)
            case delete
            case increment(by: Int64)
        }
        let shadow: ShadowLog
        let key: Int
        let action: Action
    }

    /// What the model says of a requirement.
    private struct Expectation {
        var canHold: Bool
        var canFail: Bool
    }

    mutating func transact() throws {
        let pair = [logs[random.below(logs.count)], logs[random.below(logs.count)]]
        var transaction = Transaction()
        var expectations: [Expectation] = []
        for _ in 0..<random.below(3) {
            let (requirement, expectation) = requirement(pair[random.below(2)])
            transaction.requirements.append(requirement)
            expectations.append(expectation)
        }
        var then: [Planned] = []
        for _ in 0..<1 + random.below(4) { transaction.then.append(operation(pair[random.below(2)], &then)) }
        var otherwise: [Planned] = []
        for _ in 0..<random.below(2) {
            transaction.otherwise.append(operation(pair[random.below(2)], &otherwise))
        }

        let result = try test.engine.transact(transaction).decided()
        if result.isCommitted {
            figures.committed += 1
            try require(expectations.allSatisfy(\.canHold), "a transaction held whose requirements do not")
        } else {
            figures.notCommitted += 1
            try require(
                expectations.contains(where: \.canFail), "a transaction did not hold whose requirements do")
        }
        let branch = result.isCommitted ? then : otherwise
        try require(
            branch.count == result.items.count, "\(result.items.count) items for \(branch.count) operations")
        // Each operation sees those before it, and so does the model.
        for (planned, item) in zip(branch, result.items) { try apply(planned, item) }
    }

    private mutating func requirement(_ shadow: ShadowLog) -> (Transaction.Requirement, Expectation) {
        let key = anyKey()
        let isLive = shadow.isLive(key, at: now)
        let test: Transaction.Requirement.Test
        let expectation: Expectation
        if random.chance(50) {
            let isExpected = random.chance(50)
            test = .exists(isExpected)
            // What is live in the model may have been evicted; what is not cannot be there.
            let isCertain = !isLive || !shadow.isLossy
            expectation = Expectation(
                canHold: isExpected == isLive || !isCertain, canFail: isExpected != isLive || !isCertain)
        } else {
            test = .revision(shadow.revision(key))
            expectation = Expectation(canHold: isLive, canFail: !isLive || shadow.isLossy)
        }
        return (Transaction.Requirement(log: shadow.log.name, key: bytes(key), test: test), expectation)
    }

    private mutating func operation(_ shadow: ShadowLog, _ planned: inout [Planned]) -> Transaction.Operation
    {
        let log = shadow.log.name
        switch random.below(4) {
        case 0:
            let key = anyKey()
            planned.append(Planned(shadow: shadow, key: key, action: .get))
            return Transaction.Operation(log: log, .get(key: bytes(key)))
        case 1:
            let (key, number) = (valueKey(), nextNumber())
            var put = Transaction.Put(key: bytes(key), value: shadow.value(number))
            put.options = putOptions()
            let deadline: Int64 =
                if case .at(let deadline) = put.options.expiry { deadline } else { Deadline.never }
            planned.append(
                Planned(shadow: shadow, key: key, action: .put(number: number, deadline: deadline)))
            return Transaction.Operation(log: log, .put(put))
        case 2:
            let key = anyKey()
            planned.append(Planned(shadow: shadow, key: key, action: .delete))
            return Transaction.Operation(log: log, .delete(key: bytes(key)))
        default:
            let key = counterKey()
            var options = IncrementOptions()
            options.by = Int64(1 + random.below(9))
            planned.append(Planned(shadow: shadow, key: key, action: .increment(by: options.by)))
            return Transaction.Operation(log: log, .increment(key: bytes(key), options))
        }
    }

    private func apply(_ planned: Planned, _ item: TransactionResult.Item) throws {
        let (shadow, key) = (planned.shadow, planned.key)
        switch (planned.action, item) {
        case (.get, .found(let record, _)): try shadow.found(record, key, at: now)
        case (.get, .missing), (.delete, .missing): try shadow.missing(key, at: now)
        case (.put(let number, let deadline), .written(let revision)):
            try shadow.put(key, number, deadline: deadline, revision, isNew: nil, at: now)
        case (.delete, .written(let revision)): try shadow.deleted(key, revision, at: now)
        case (.increment(let step), .incremented(let value, let revision)):
            try shadow.incremented(key, to: value, by: step, revision, at: now)
        default: throw Failure("an operation of a transaction came to \(item)")
        }
    }
}
