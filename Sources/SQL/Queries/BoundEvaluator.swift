import DuckDBClient

/// Evaluates the expressions of bounds before the query: by DuckDB itself, unless they are plain literals.
struct BoundEvaluator: Sendable {
    /// DuckDB's JSON of `SELECT 1`, around the 1.
    private let statement: (before: String, behind: String)

    init(_ connection: Connection) throws(DuckDBFailure) {
        let texts = try Self.row("SELECT json_serialize_sql('SELECT 1')", [], on: connection)
        let tree = SyntaxTree(texts.first.flatMap { $0 } ?? "")
        let one = tree.nodes.indices.first { tree.text("class", of: $0) == "CONSTANT" }
        statement = one.map(tree.surroundings) ?? ("", "")
    }

    /// The bounds in whole units, on the safe side; nil for one that means nothing, which the query itself will say.
    /// - Parameter now: at or before what `now()` is in the query.
    func values(of bounds: [BoundFinder.Bound], now: Int64, on connection: Connection) -> [Int64?] {
        let others = bounds.filter { $0.literal == nil }
        var evaluated = evaluate(others, on: connection).makeIterator()
        return bounds.map { bound in
            let value = bound.literal.map { $0.value(now: now) } ?? evaluated.next().flatMap { $0 }
            guard let value else { return nil }
            let (moved, overflow) = value.addingReportingOverflow(bound.isLower ? -1 : 2)
            return overflow ? nil : moved
        }
    }

    private func evaluate(_ bounds: [BoundFinder.Bound], on connection: Connection) -> [Int64?] {
        guard !bounds.isEmpty else { return [] }
        do {
            let texts = try Self.row(
                "SELECT " + bounds.map { _ in "json_deserialize_sql(?)" }.joined(separator: ", "),
                bounds.map { statement.before + $0.expression + statement.behind }, on: connection)
            let forms = zip(bounds, texts).map { bound, text in
                guard let text else { return "NULL" }
                return bound.column == .offset
                    ? "CAST(floor(TRY_CAST((\(text)) AS DOUBLE)) AS BIGINT)"
                    : "epoch_ms(CAST((\(text)) AS TIMESTAMPTZ))"
            }
            let values = try Self.row(
                "SELECT " + forms.map { "CAST(\($0) AS VARCHAR)" }.joined(separator: ", "), [], on: connection
            )
            return values.map { $0.flatMap { Int64($0) } }
        } catch {
            // An expression that DuckDB refuses here is refused again when the query is bound, with its place.
            return bounds.map { _ in nil }
        }
    }

    private static func row(
        _ query: String, _ parameters: [String], on connection: Connection
    ) throws(DuckDBFailure) -> [String?] {
        let statement = try connection.prepare(query)
        for (index, parameter) in parameters.enumerated() { try statement.bind(.text(parameter), at: index) }
        let result = try statement.run()
        guard let chunk = try result.next(), chunk.rowCount == 1 else { return [] }
        return result.columns.indices.map { column in
            let vector = chunk.vector(column)
            return vector.isValid(0) ? String(decoding: vector.bytes(0), as: UTF8.self) : nil
        }
    }
}
