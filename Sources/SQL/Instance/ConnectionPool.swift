import DuckDBClient

/// Lends connections of an instance.
final class ConnectionPool: Sendable {
    let database: Database
    private let connections: Pool<Connection>

    init(_ database: Database) {
        self.database = database
        connections = Pool { () throws(DuckDBFailure) in try database.connect() }
    }

    func withConnection<Value>(_ body: (Connection) throws -> Value) throws -> Value {
        try connections.with(body)
    }
}
