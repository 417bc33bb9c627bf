import Platform
import StorageEngine
import Synchronization

/// Knows which batches have columns beside them, and drops those used longest ago when memory is short; the lists of a log's
/// columns before them.
final class ColumnCache: Sendable {
    private struct Entry {
        weak var fields: BatchFields?
        let account: ObjectIdentifier
    }

    private struct Lists {
        weak var lists: ColumnLists?
        let account: ObjectIdentifier
    }

    private let entries = Lock<[ObjectIdentifier: Entry]>([:])
    private let lists = Lock<[ObjectIdentifier: Lists]>([:])
    private let sheds = Atomic<Int>(0)
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

    func add(_ lists: ColumnLists, of log: Log) {
        self.lists.withLock { known in
            if let entry = known[ObjectIdentifier(lists)], entry.lists === lists { return }
            known = known.filter { $0.value.lists != nil }
            known[ObjectIdentifier(lists)] = Lists(lists: lists, account: ObjectIdentifier(log.account))
        }
    }

    /// How often memory was short: what was found before the last time may have been dropped since.
    var shedCount: Int { sheds.load(ordering: .sequentiallyConsistent) }

    /// - Parameter account: a log's, or the server's for those of all logs.
    func shed(_ account: MemoryAccount, bytes: Int, isServer: Bool) {
        let wanted = ObjectIdentifier(account)
        sheds.wrappingAdd(1, ordering: .sequentiallyConsistent)
        // They would keep what is dropped below.
        let lists = lists.withLock { lists in
            lists.values.filter { isServer || $0.account == wanted }.compactMap(\.lists)
        }
        for lists in lists { lists.drop() }
        let candidates = entries.withLock { entries in
            entries.values.filter { isServer || $0.account == wanted }.compactMap(\.fields)
        }.map { (fields: $0, lastUse: $0.lastUse) }.sorted { $0.lastUse < $1.lastUse }.map(\.fields)
        var freed = 0
        for fields in candidates {
            if freed >= bytes { return }
            // Before they are dropped: what another query keeps meanwhile is entered again.
            entries.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(fields)) }
            freed += fields.dropColumns()
        }
    }
}
