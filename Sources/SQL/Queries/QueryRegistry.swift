import Platform
import Synchronization

/// The queries that wait or run, by their identifiers.
final class QueryRegistry: Sendable {
    private let queries = Lock<[String: Query]>([:])
    private let ended = Atomic<Int>(0)

    func add(_ query: Query) { queries.withLock { $0[query.identifier] = query } }
    /// - Returns: false when it was not there any more.
    func remove(_ query: Query) -> Bool {
        guard queries.withLock({ $0.removeValue(forKey: query.identifier) }) != nil else { return false }
        ended.wrappingAdd(1, ordering: .relaxed)
        return true
    }
    /// How many there were.
    var endedCount: Int { ended.load(ordering: .relaxed) }
    var isEmpty: Bool { queries.withLock { $0.isEmpty } }
    func query(_ identifier: String) -> Query? { queries.withLock { $0[identifier] } }

    /// Oldest first.
    var all: [Query] {
        queries.withLock { Array($0.values) }.sorted { $0.arrivedNanoseconds < $1.arrivedNanoseconds }
    }
}
