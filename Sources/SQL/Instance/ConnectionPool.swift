import DuckDBClient
import Platform

/// Lends connections of an instance, and makes new ones as they are needed.
final class ConnectionPool: Sendable {
    let database: Database
    private let idle = Lock<[Connection]>([])

    init(_ database: Database) { self.database = database }

    /// A connection on which something failed is closed: DuckDB refuses everything while a result of it is open.
    func withConnection<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        let connection = try idle.withLock { $0.popLast() } ?? database.connect()
        let value = try body(connection)
        idle.withLock { $0.append(connection) }
        return value
    }
}
