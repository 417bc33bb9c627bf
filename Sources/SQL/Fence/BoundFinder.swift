import Platform

/// Finds bounds on the time and the place of records in WHERE clauses, so that whole batches need not be read.
struct BoundFinder {
    enum Column: Equatable {
        case timestamp
        case offset
        /// `timestamp`, where no field has that name.
        case timestampAlias
    }

    /// `column >= expression`, or another comparison of order.
    struct Bound: Equatable {
        let table: String
        let column: Column
        let isLower: Bool
        let isStrict: Bool
        /// `now()` is in the expression: that is later when the query runs.
        let readsClock: Bool
        /// The part of the condition that says it, in the tree.
        let conjunct: Int
        /// DuckDB's own JSON of an expression without columns.
        let expression: String
        /// Nil: DuckDB has to evaluate it.
        let literal: BoundLiteral?

        /// What is passed over for it before the query runs is passed over rightly.
        var holdsBefore: Bool { isLower || !readsClock }
    }

    private static let columns = [
        "_timestamp".identifier: Column.timestamp, "timestamp".identifier: .timestampAlias,
        "_offset".identifier: .offset,
    ]

    /// What an expression may call to be evaluated before the query.
    private static let functions: Set<String> = [
        "+", "-", "*", "/", "now", "to_years", "to_months", "to_weeks", "to_days", "to_hours", "to_minutes",
        "to_seconds", "to_milliseconds", "to_microseconds", "date_trunc", "make_timestamp",
        "make_timestamptz",
        "to_timestamp", "epoch_ms", "trunc",
    ]

    private let tree: SyntaxTree

    private let commonTableNames: Set<ExactString>

    init(_ tree: SyntaxTree) {
        self.tree = tree
        commonTableNames = tree.commonTableNames
    }

    /// Of selections from one table; its other uses in the query are for the caller to rule out.
    func bounds() -> [Bound] {
        tree.nodes.indices.flatMap { node -> [Bound] in
            guard tree.text("type", of: node) == "SELECT_NODE", !isSampled(node),
                let source = tree.member("from_table", of: node), !isSampled(source),
                let table = Table(source, tree), !commonTableNames.contains(table.name.identifier),
                let condition = tree.member("where_clause", of: node)
            else { return [] }
            return conjuncts(of: condition).flatMap { bounds(in: $0, table) }
        }
    }

    /// A log that is selected from alone.
    private struct Table {
        let name: String
        /// What its columns are qualified by.
        let alias: ExactString

        init?(_ source: Int, _ tree: SyntaxTree) {
            guard tree.text("type", of: source) == "BASE_TABLE",
                // Names for its columns may give `_timestamp` to another one.
                tree.texts("column_name_alias", of: source).isEmpty,
                let name = tree.text("table_name", of: source)
            else { return nil }
            self.name = name
            let alias = tree.text("alias", of: source) ?? ""
            self.alias = (alias.isEmpty ? name : alias).identifier
        }
    }

    /// A sample is taken before rows are compared.
    private func isSampled(_ node: Int) -> Bool {
        tree.member("sample", of: node).map { tree.nodes[$0].content != .other } ?? false
    }

    private func conjuncts(of node: Int) -> [Int] {
        guard tree.text("type", of: node) == "CONJUNCTION_AND", let parts = tree.member("children", of: node)
        else { return [node] }
        // One level: `a AND b AND c` is one conjunction.
        return tree.nodes[parts].children
    }

    private func bounds(in node: Int, _ table: Table) -> [Bound] {
        func bound(
            _ columnKey: String, isLower: Bool, isStrict: Bool = false, _ expressionKey: String
        ) -> [Bound] {
            guard let column = tree.member(columnKey, of: node).flatMap({ column($0, of: table) }),
                let expression = tree.member(expressionKey, of: node), canBeEvaluated(expression)
            else { return [] }
            let reader = BoundLiteralReader(tree: tree)
            return [
                Bound(
                    table: table.name, column: column, isLower: isLower, isStrict: isStrict,
                    readsClock: readsClock(expression), conjunct: node,
                    expression: tree.source(of: expression),
                    literal: column == .offset ? reader.offset(expression) : reader.instant(expression))
            ]
        }
        func comparison(isLower: Bool, isStrict: Bool) -> [Bound] {
            bound("left", isLower: isLower, isStrict: isStrict, "right")
                + bound("right", isLower: !isLower, isStrict: isStrict, "left")
        }
        switch tree.text("type", of: node) {
        case "COMPARE_GREATERTHAN": return comparison(isLower: true, isStrict: true)
        case "COMPARE_GREATERTHANOREQUALTO": return comparison(isLower: true, isStrict: false)
        case "COMPARE_LESSTHAN": return comparison(isLower: false, isStrict: true)
        case "COMPARE_LESSTHANOREQUALTO": return comparison(isLower: false, isStrict: false)
        case "COMPARE_EQUAL":
            return [true, false].flatMap { comparison(isLower: $0, isStrict: false) }
        case "COMPARE_BETWEEN":
            return bound("input", isLower: true, "lower") + bound("input", isLower: false, "upper")
        default: return []
        }
    }

    private func column(_ node: Int, of table: Table) -> Column? {
        guard tree.text("type", of: node) == "COLUMN_REF" else { return nil }
        var names = tree.texts("column_names", of: node).map(\.identifier)
        // With another qualifier it is of a query around this one, or a field of a column.
        if names.count == 2, names[0] == table.alias { names.removeFirst() }
        return names.count == 1 ? Self.columns[names[0]] : nil
    }

    /// Constants, casts, and arithmetic with `now()` that is later when `now()` is.
    private func canBeEvaluated(_ node: Int) -> Bool {
        tree.subtree(of: node).allSatisfy { part in
            switch tree.text("class", of: part) {
            case "CONSTANT", "CAST", "TYPE", nil: return true
            case "FUNCTION":
                guard let name = tree.text("function_name", of: part), Self.functions.contains(name) else {
                    return false
                }
                let arguments = tree.member("arguments", of: part).map { tree.nodes[$0].children } ?? []
                let turned = name == "-" ? arguments.dropFirst(arguments.count > 1 ? 1 : 0) : arguments[...]
                return !["-", "*", "/"].contains(name) || !turned.contains(where: readsClock)
            default: return false
            }
        }
    }

    private func readsClock(_ node: Int) -> Bool {
        tree.subtree(of: node).contains { tree.text("function_name", of: $0) == "now" }
    }
}
