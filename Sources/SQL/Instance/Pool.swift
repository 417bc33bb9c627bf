import DuckDBClient
import Platform

/// Lends what one thread uses at a time, and makes more as they are needed.
final class Pool<Member: Sendable>: Sendable {
    private let idle = Lock<[Member]>([])
    private let make: @Sendable () throws(DuckDBFailure) -> Member

    init(_ make: @escaping @Sendable () throws(DuckDBFailure) -> Member) { self.make = make }

    /// What something failed with is closed: DuckDB refuses everything while a result of its connection is open.
    func with<Value>(_ body: (Member) throws -> Value) throws -> Value {
        let member = try idle.withLock { $0.popLast() } ?? make()
        let value = try body(member)
        idle.withLock { $0.append(member) }
        return value
    }
}
