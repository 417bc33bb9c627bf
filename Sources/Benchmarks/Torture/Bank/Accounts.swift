import StorageEngine

/// Balances as keys of several logs, moved by transactions that compare and set.
struct Accounts: Sendable {
    static let count = 64
    static let firstBalance: Int64 = 1000
    static let total = Int64(count) * firstBalance
    private static let partitions = [1, 4, 7]

    /// An account as a transaction found it.
    struct Seen {
        let account: Int
        let balance: Int64
        let revision: Revision

        var access: History.Access {
            History.Access(key: Int32(account), version: revision.offset.rawValue)
        }
    }

    private let engine: Engine
    private let logs: [String]
    private let keys = (0..<Self.count).map { bytes($0) }

    init(_ test: TestEngine) throws {
        engine = test.engine
        logs = Self.partitions.map { "accounts-\($0)" }
        for (name, partitions) in zip(logs, Self.partitions) {
            _ = try test.log(name) {
                $0.compaction = .keys
                $0.partitions = partitions
            }
        }
    }

    private func log(_ account: Int) -> String { logs[account % logs.count] }

    private func put(_ account: Int, _ balance: Int64) -> Transaction.Operation {
        let value = withUnsafeBytes(of: balance) { Array($0) }
        return Transaction.Operation(
            log: log(account), .put(Transaction.Put(key: keys[account], value: value)))
    }

    private func written(_ accounts: [Int], _ result: TransactionResult) throws -> [History.Access] {
        try zip(accounts, result.items).map { account, item in
            guard case .written(let revision) = item else { throw Failure("a put came to \(item)") }
            return History.Access(key: Int32(account), version: revision.offset.rawValue)
        }
    }

    /// One transaction that gives every account its first balance.
    func open() throws -> [History.Access] {
        var transaction = Transaction()
        let accounts = Array(0..<Self.count)
        transaction.then = accounts.map { put($0, Self.firstBalance) }
        return try written(accounts, engine.transact(transaction).decided())
    }

    /// Looks at accounts in one transaction.
    func look(_ accounts: [Int]) throws -> [Seen] {
        var transaction = Transaction()
        transaction.then = accounts.map { Transaction.Operation(log: log($0), .get(key: keys[$0])) }
        let result = try engine.transact(transaction).decided()
        return try zip(accounts, result.items).map { account, item in
            guard case .found(let record, let epoch) = item else {
                throw Failure("account \(account) is gone")
            }
            let revision = Revision(partition: record.partition, offset: record.offset, epoch: epoch)
            return Seen(
                account: account, balance: record.value.loadUnaligned(as: Int64.self), revision: revision)
        }
    }

    /// Sets the balances if the accounts are still as they were seen. - Returns: nil when one is not.
    func set(_ changes: [(seen: Seen, balance: Int64)]) throws -> [History.Access]? {
        var transaction = Transaction()
        transaction.requirements = changes.map { change in
            Transaction.Requirement(
                log: log(change.seen.account), key: keys[change.seen.account],
                test: .revision(change.seen.revision))
        }
        transaction.then = changes.map { put($0.seen.account, $0.balance) }
        let result = try engine.transact(transaction).decided()
        return result.isCommitted ? try written(changes.map(\.seen.account), result) : nil
    }
}
