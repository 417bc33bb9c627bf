import DuckDBClient
import Platform

/// A connection for queries, and what is prepared on it once. For one thread at a time.
final class Session: @unchecked Sendable {
    // Sendable: whoever was lent it owns it for that time.
    let connection: Connection
    /// Its parameter has a type, so that DuckDB plans it once; it reads no table, so that nothing of a run stays.
    private let serializer: Statement
    /// Of texts that read logs and take no parameters. DuckDB parses and binds a statement twice, as it is prepared and
    /// as it is run; of one that is kept only the second is left, which sees what the logs are by then.
    private var statements: [ExactString: Statement] = [:]
    private static let statementsMax = 32

    init(_ connection: Connection) throws(DuckDBFailure) {
        self.connection = connection
        serializer = try connection.prepare("SELECT json_serialize_sql(CAST(? AS VARCHAR))")
    }

    /// - Returns: nil for what was not kept.
    func keptStatement(_ text: String) -> Statement? { statements[ExactString(text)] }

    func keep(_ statement: Statement, _ text: String) {
        guard text.utf8.count <= Judgements.textBytesMax, statements[ExactString(text)] == nil else { return }
        if statements.count >= Self.statementsMax { statements = [:] }
        statements[ExactString(text)] = statement
    }

    func forget(_ text: String) { statements[ExactString(text)] = nil }

    /// DuckDB's own parse of a text, as JSON. - Throws: `notASelect` for what cannot be written so.
    func parse(_ text: String) throws -> SyntaxTree {
        try serializer.bind(.text(text), at: 0)
        guard let chunk = try serializer.run().next(), chunk.rowCount == 1 else {
            throw SQLFailure.notASelect
        }
        let tree = SyntaxTree(String(decoding: chunk.vector(0).bytes(0), as: UTF8.self))
        guard let root = tree.nodes.indices.first, tree.member("statements", of: root) != nil else {
            throw SQLFailure.notASelect
        }
        return tree
    }
}

extension SQLFailure {
    static let notASelect = SQLFailure.refused(
        "only statements that read are allowed: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES, EXPLAIN"
    )
}
