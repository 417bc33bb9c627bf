/// Finds bounds on the time and the place of records in WHERE clauses, so that whole batches need not be read. DuckDB
/// filters the rows all the same.
struct BoundFinder {
    enum Column: Equatable {
        case timestamp
        case offset
        /// `timestamp`, where no field has that name.
        case timestampAlias
    }

    /// `column >= expression`, or `<=`: strictness is of no use to whole batches.
    struct Bound: Equatable {
        let table: String
        let column: Column
        let isLower: Bool
        /// DuckDB's own JSON of an expression without columns.
        let expression: String
        /// Nil: DuckDB has to evaluate it.
        let literal: BoundLiteral?
    }

    /// What an expression may call to be evaluated before the query.
    private static let functions: Set<String> = [
        "+", "-", "*", "/", "now", "to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes",
        "to_seconds", "to_milliseconds", "to_microseconds", "date_trunc", "make_timestamp",
        "make_timestamptz",
        "to_timestamp", "epoch_ms", "trunc",
    ]

    private let tree: SyntaxTree

    init(_ tree: SyntaxTree) { self.tree = tree }

    /// Of selections from one table; its other uses in the query are for the caller to rule out.
    func bounds() -> [Bound] {
        tree.nodes.indices.flatMap { node -> [Bound] in
            guard tree.text("type", of: node) == "SELECT_NODE",
                let source = tree.member("from_table", of: node),
                tree.text("type", of: source) == "BASE_TABLE",
                let sample = tree.member("sample", of: source), tree.nodes[sample].content == .other,
                let table = tree.text("table_name", of: source),
                let condition = tree.member("where_clause", of: node)
            else { return [] }
            return conjuncts(of: condition).flatMap { bounds(in: $0, table) }
        }
    }

    private func conjuncts(of node: Int) -> [Int] {
        guard tree.text("type", of: node) == "CONJUNCTION_AND", let parts = tree.member("children", of: node)
        else { return [node] }
        // One level: `a AND b AND c` is one conjunction.
        return tree.nodes[parts].children
    }

    private func bounds(in node: Int, _ table: String) -> [Bound] {
        switch tree.text("type", of: node) {
        case "COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO":
            bound(node, "left", isLower: true, "right", table)
                + bound(node, "right", isLower: false, "left", table)
        case "COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO":
            bound(node, "left", isLower: false, "right", table)
                + bound(node, "right", isLower: true, "left", table)
        case "COMPARE_EQUAL":
            [true, false].flatMap {
                bound(node, "left", isLower: $0, "right", table)
                    + bound(node, "right", isLower: $0, "left", table)
            }
        case "COMPARE_BETWEEN":
            bound(node, "input", isLower: true, "lower", table)
                + bound(node, "input", isLower: false, "upper", table)
        default: []
        }
    }

    private func bound(
        _ node: Int, _ columnKey: String, isLower: Bool, _ expressionKey: String, _ table: String
    ) -> [Bound] {
        guard let column = tree.member(columnKey, of: node).flatMap(self.column),
            let expression = tree.member(expressionKey, of: node),
            canBeEvaluated(expression, isLower: isLower)
        else { return [] }
        let reader = BoundLiteralReader(tree: tree)
        return [
            Bound(
                table: table, column: column, isLower: isLower, expression: tree.source(of: expression),
                literal: column == .offset ? reader.offset(expression) : reader.instant(expression))
        ]
    }

    private func column(_ node: Int) -> Column? {
        guard tree.text("type", of: node) == "COLUMN_REF" else { return nil }
        switch tree.texts("column_names", of: node).last?.lowercased() {
        case "_timestamp": return .timestamp
        case "timestamp": return .timestampAlias
        case "_offset": return .offset
        default: return nil
        }
    }

    /// Constants, casts, and arithmetic with `now()`: that is later when the query runs, so it is a lower bound only.
    private func canBeEvaluated(_ node: Int, isLower: Bool) -> Bool {
        tree.subtree(of: node).allSatisfy { part in
            switch tree.text("class", of: part) {
            case "CONSTANT", "CAST", "TYPE", nil: return true
            case "FUNCTION":
                guard let name = tree.text("function_name", of: part) else { return false }
                return Self.functions.contains(name) && (isLower || name != "now")
            default: return false
            }
        }
    }
}
