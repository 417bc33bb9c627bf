import Platform

/// What may be asked: functions that compute, over logs. Judged on DuckDB's own parse of the text, before it is bound.
///
/// The instance is locked down as well: it reaches no file, no network, no extension and no setting.
struct Fence: Sendable {
    /// Table functions that only compute, or read logs.
    static let tableFunctions: Set<String> = [
        "generate_series", "json_each", "json_tree", "log_records", "log_scan", "log_table", "range",
        "repeat",
        "repeat_row", "unnest",
    ]
    /// Those whose first argument names a log.
    static let logFunctions: Set<String> = ["log_records", "log_scan", "log_table"]
    /// Functions that tell of the instance, or change it.
    private static let forbidden: Set<String> = [
        "current_setting", "getenv", "getvariable", "nextval", "currval", "setseed", "write_log",
        "set_config",
        // Binds and folds a text that was not judged.
        "json_serialize_plan",
    ]
    /// Read the system's clock, which does not move with the one of test mode.
    private static let otherClocks: Set<String> = [
        "current_date", "current_time", "current_localtime", "current_localtimestamp", "get_current_time",
        "localtime", "localtimestamp", "today", "transaction_timestamp", "current_timestamp",
        "get_current_timestamp",
    ]

    /// What differs from one run to the next by the time alone.
    static let clocks = otherClocks.union(["now", "age"])

    private static let formats: Set<String> = ["format", "printf"]

    /// DuckDB's own views that a bare name would reach.
    let systemViews: Set<String>
    let isTestMode: Bool

    /// What was found in a statement that may run.
    struct Finding: Equatable {
        /// Names of tables and of arguments of log functions; some may be of common table expressions.
        var tables: Set<String> = []
        /// Names that columns are asked for by, in lower case.
        var columns: Set<String> = []
        var listsLogs = false
        /// `SHOW name`, which is DESCRIBE.
        var described: String?
        /// The order of a log's columns can be seen: by `*`, or by a list of names for them.
        var showsOrder = false
        /// How often each table is named.
        var uses: [String: Int] = [:]

        mutating func use(_ table: String) {
            tables.insert(table)
            uses[table, default: 0] += 1
        }
    }

    func check(_ tree: SyntaxTree, isLog: (String) -> Bool) throws(SQLFailure) -> Finding {
        var finding = Finding()
        let expressions = tree.commonTableNames
        let isKnown: (String) -> Bool = { isLog($0) || expressions.contains($0.identifier) }
        for index in tree.nodes.indices where tree.nodes[index].content == .object {
            switch tree.text("type", of: index) {
            case "BASE_TABLE": try checkTable(tree, index, &finding, isLog, isKnown)
            case "STAR": finding.showsOrder = true
            case "SHOW_REF": try checkShow(tree, index, &finding, isLog)
            case "COLUMN_REF": try checkColumn(tree, index, &finding)
            case "FUNCTION": try checkFunction(tree, index, &finding, isLog)
            default: break
            }
            if let names = tree.member("column_name_alias", of: index), !tree.nodes[names].children.isEmpty {
                finding.showsOrder = true
            }
        }
        return finding
    }

    private func path(_ tree: SyntaxTree, _ index: Int) -> [String] {
        tree.member("qualified_name", of: index).map { tree.texts("path", of: $0) } ?? []
    }

    private func checkTable(
        _ tree: SyntaxTree, _ index: Int, _ finding: inout Finding, _ isLog: (String) -> Bool,
        _ isKnown: (String) -> Bool
    ) throws(SQLFailure) {
        var path = path(tree, index)
        if path.count == 2, path[0].lowercased() == "main" { path.removeFirst() }
        guard path.count == 1, let name = path.first else {
            throw .refused("the table \(path.joined(separator: ".")) is not a log: the catalogue is not open")
        }
        if systemViews.contains(name.lowercased()) {
            throw .refused(
                isLog(name)
                    ? "DuckDB has a table \(name) of its own: write log_table('\(name)') for the log"
                    : "the table \(name) is not a log: the catalogue is not open")
        }
        guard isKnown(name) else {
            throw .unknownLog(name, position: tree.integer("query_location", of: index))
        }
        finding.use(name)
    }

    private func checkShow(
        _ tree: SyntaxTree, _ index: Int, _ finding: inout Finding, _ isLog: (String) -> Bool
    ) throws(SQLFailure) {
        let name = tree.text("table_name", of: index) ?? ""
        switch tree.text("show_type", of: index) {
        case "DESCRIBE", "SUMMARY": return
        case "SHOW_SPECIAL" where name.lowercased() == "\"tables\"": finding.listsLogs = true
        case "SHOW" where isLog(name) && !systemViews.contains(name.lowercased()):
            finding.use(name)
            finding.described = name
        default: throw .refused("SHOW takes TABLES or the name of a log")
        }
    }

    private func checkColumn(
        _ tree: SyntaxTree, _ index: Int, _ finding: inout Finding
    ) throws(SQLFailure) {
        let names = tree.texts("column_names", of: index)
        guard let name = names.last?.lowercased() else { return }
        finding.columns.insert(name)
        if names.count == 1 { try checkClock(name) }
    }

    private func checkFunction(
        _ tree: SyntaxTree, _ index: Int, _ finding: inout Finding, _ isLog: (String) -> Bool
    ) throws(SQLFailure) {
        guard let name = tree.text("function_name", of: index)?.lowercased() else { return }
        if path(tree, index).count > 1 {
            throw .refused("functions are called by their bare name, \(name) here")
        }
        let node = tree.nodes[index]
        let isTable =
            node.key == "function"
            && node.parent.map { tree.text("type", of: $0) == "TABLE_FUNCTION" } ?? false
        guard isTable else {
            if Self.forbidden.contains(name) { throw .refused("the function \(name) is not allowed here") }
            if Self.formats.contains(name) { try checkFormat(tree, index, name) }
            return try checkClock(name)
        }
        guard Self.tableFunctions.contains(name) else {
            throw .refused(
                "the table function \(name) is not allowed here: logs are the tables, files, network and catalogue are closed"
            )
        }
        guard Self.logFunctions.contains(name) else { return }
        guard let argument = firstArgument(tree, index) else {
            throw .refused("\(name) takes the name of a log as a text in quotes: \(name)('events')")
        }
        guard isLog(argument) else {
            throw .unknownLog(
                argument, position: node.parent.flatMap { tree.integer("query_location", of: $0) })
        }
        finding.use(argument)
    }

    private func firstArgument(_ tree: SyntaxTree, _ index: Int) -> String? {
        guard let arguments = tree.member("arguments", of: index),
            let first = tree.nodes[arguments].children.first
        else { return nil }
        let expression = tree.member("expression", of: first) ?? first
        guard tree.text("class", of: expression) == "CONSTANT",
            let literal = tree.member("literal", of: expression)
        else { return nil }
        return tree.text("text", of: literal)
    }

    /// A width in a format makes any number of bytes.
    private func checkFormat(_ tree: SyntaxTree, _ index: Int, _ name: String) throws(SQLFailure) {
        guard let format = firstArgument(tree, index) else {
            throw .refused("\(name) takes its format as a text in quotes")
        }
        let longest = format.split { !$0.isNumber }.map(\.count).max() ?? 0
        if longest > 3 || format.contains("*") || format.contains(/\{[^}]*\{/) {
            throw .refused("widths in formats have at most three digits")
        }
    }

    private func checkClock(_ name: String) throws(SQLFailure) {
        if isTestMode, Self.otherClocks.contains(name) {
            throw .refused("in test mode \(name) is not allowed: now() is the clock that tests move")
        }
    }
}
