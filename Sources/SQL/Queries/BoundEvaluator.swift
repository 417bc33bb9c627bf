import DuckDBClient

/// Evaluates the expressions of bounds before the query, by DuckDB itself.
struct BoundEvaluator: Sendable {
    /// DuckDB's JSON of `SELECT 1`, around the 1.
    private let statement: (before: String, behind: String)

    init(_ connection: Connection) throws(DuckDBFailure) {
        let text = try Self.text("SELECT json_serialize_sql('SELECT 1')", nil, on: connection)
        let tree = SyntaxTree(text ?? "")
        let one = tree.nodes.indices.first { tree.text("class", of: $0) == "CONSTANT" }
        statement = one.map(tree.surroundings) ?? ("", "")
    }

    /// The bound in whole units, on the safe side; nil for one that means nothing, which the query itself will say.
    func value(of bound: BoundFinder.Bound, on connection: Connection) -> Int64? {
        let json = statement.before + bound.expression + statement.behind
        // An expression that DuckDB refuses here is refused again when the query is bound, with its place in the text.
        guard let select = try? Self.text("SELECT json_deserialize_sql(?)", json, on: connection) else {
            return nil
        }
        let form =
            bound.column == .offset
            ? "floor(CAST((\(select)) AS DOUBLE))" : "epoch_ms(CAST((\(select)) AS TIMESTAMPTZ))"
        guard
            let text = try? Self.text("SELECT CAST(CAST(\(form) AS BIGINT) AS VARCHAR)", nil, on: connection),
            let value = Int64(text)
        else { return nil }
        let (moved, overflow) = value.addingReportingOverflow(bound.isLower ? -1 : 2)
        return overflow ? nil : moved
    }

    private static func text(
        _ query: String, _ parameter: String?, on connection: Connection
    ) throws(DuckDBFailure) -> String? {
        let statement = try connection.prepare(query)
        if let parameter { try statement.bind(.text(parameter), at: 0) }
        guard let chunk = try statement.run().next(), chunk.rowCount == 1, chunk.vector(0).isValid(0) else {
            return nil
        }
        return String(decoding: chunk.vector(0).bytes(0), as: UTF8.self)
    }
}
