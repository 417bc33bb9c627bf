import Platform

extension Pyralog {
    /// What is to happen at one instant, or not at all: filled in by the closure given to `transact`.
    public struct Transaction: Sendable {
        var engineTransaction = StorageEngine.Transaction()

        /// `then` operations are done only if the key exists, or does not.
        public mutating func require(_ log: String, _ key: String, exists: Bool) {
            engineTransaction.requirements.append(
                .init(log: log, key: Array(key.utf8), test: .exists(exists)))
        }

        /// Only if the key's value has these bytes.
        public mutating func require(_ log: String, _ key: String, equals value: String) {
            let wanted = Array(value.utf8)
            engineTransaction.requirements.append(
                .init(
                    log: log, key: Array(key.utf8), test: .value { stored, _ in stored.elementsEqual(wanted) }
                ))
        }

        public mutating func get(_ log: String, _ key: String) { add(log, .get(key: Array(key.utf8))) }

        public mutating func put(_ log: String, _ key: String, _ value: String) {
            var put = StorageEngine.Transaction.Put(key: Array(key.utf8), value: Array(value.utf8))
            put.options.type = .octetStream
            add(log, .put(put))
        }

        public mutating func delete(_ log: String, _ key: String) { add(log, .delete(key: Array(key.utf8))) }

        public mutating func increment(_ log: String, _ key: String, by amount: Int64 = 1) {
            var options = IncrementOptions()
            options.by = amount
            add(log, .increment(key: Array(key.utf8), options))
        }

        public mutating func append(_ log: String, _ value: String, key: String? = nil) {
            var append = StorageEngine.Transaction.Append(
                key: key.map { Array($0.utf8) }, value: Array(value.utf8))
            append.type = .octetStream
            add(log, .append(append))
        }

        private mutating func add(_ log: String, _ action: StorageEngine.Transaction.Action) {
            engineTransaction.then.append(.init(log: log, action))
        }
    }

    /// How a transaction went.
    public struct TransactionResult: Sendable {
        public enum Item: Sendable {
            case found(Record)
            /// Nothing to get, or to delete.
            case missing
            case written(Place)
            case incremented(Int64, Place)
        }
        /// False: a requirement did not hold, and nothing was done.
        public let isCommitted: Bool
        /// One for each operation, in order; none when it was not committed.
        public let items: [Item]
    }

    /// Does all of what `fill` asks for, or nothing, at one instant, over any keys and logs. Each operation sees those
    /// before it. Logs that do not exist are created by what writes to them.
    ///
    /// - Throws: for an operation that cannot be done: `notAnInteger`, `integerOverflow`, `memoryFull`; and
    ///   `invalidArgument` for a key that cannot be one.
    public func transact(_ fill: (inout Transaction) -> Void) throws(Failure) -> TransactionResult {
        var transaction = Transaction()
        fill(&transaction)
        let asked = transaction.engineTransaction
        for key in asked.requirements.map(\.key) + asked.then.compactMap(\.action.key)
        where !(1...1024).contains(key.count) {
            throw Failure(.invalidArgument, "a key has 1 to 1024 bytes, not \(key.count)")
        }
        let result = try Failure.translating { () throws(EngineError) in
            try engine.transact(asked).inMemory()
        }
        return TransactionResult(isCommitted: result.isCommitted, items: result.items.map { Self.item($0) })
    }

    private static func item(_ item: StorageEngine.TransactionResult.Item) -> TransactionResult.Item {
        func place(_ revision: Revision) -> Place {
            Place(partition: revision.partition, offset: revision.offset.rawValue)
        }
        return switch item {
        case .found(let record, _): .found(Record(record))
        case .missing: .missing
        case .written(let revision): .written(place(revision))
        case .incremented(let value, let revision): .incremented(value, place(revision))
        }
    }
}
