import Platform
import StorageEngine
import Synchronization

/// Knows which batches have columns beside them, and drops those used longest ago when memory is short.
final class ColumnCache: Sendable {
    private struct Entry {
        weak var fields: BatchFields?
        let account: ObjectIdentifier
    }

    private let entries = Lock<[ObjectIdentifier: Entry]>([:])
    private let clock = Atomic<Int>(0)

    /// Later than all before.
    func nextTime() -> Int { clock.wrappingAdd(1, ordering: .relaxed).newValue }

    func add(_ fields: BatchFields, of log: Log) {
        entries.withLock { entries in
            entries[ObjectIdentifier(fields)] = Entry(fields: fields, account: ObjectIdentifier(log.account))
            // Batches come and go; what is left of them is swept now and then.
            if entries.count % 4096 == 0 { entries = entries.filter { $0.value.fields != nil } }
        }
    }

    /// - Parameter account: a log's, or the server's for those of all logs.
    func shed(_ account: MemoryAccount, bytes: Int, isServer: Bool) {
        let wanted = ObjectIdentifier(account)
        let candidates = entries.withLock { entries in
            entries.values.filter { isServer || $0.account == wanted }.compactMap(\.fields)
        }.sorted { $0.usedAt.load(ordering: .relaxed) < $1.usedAt.load(ordering: .relaxed) }
        var freed = 0
        for fields in candidates {
            if freed >= bytes { return }
            // Before they are dropped: what another query keeps meanwhile is entered again.
            entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(fields)) }
            freed += fields.dropColumns()
        }
    }
}
