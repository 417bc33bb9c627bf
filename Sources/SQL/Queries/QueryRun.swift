import DuckDBClient
import JSON
import Platform
import StorageEngine

/// A query being answered, on one thread: parsed, judged, given its cut, bound and run.
final class QueryRun: @unchecked Sendable {
    // Sendable: only the query's thread uses it; table functions are bound on that thread.
    private let query: Query
    private let instance: SQLInstance
    private let services: ScanServices
    private let configuration: SQLConfiguration
    private var cut: Cut
    private var parts: [String: Cut.Part] = [:]
    private var schemas: [String: LogSchema] = [:]
    private var finding = Fence.Finding()
    private var bounds: [(bound: BoundFinder.Bound, value: Int64)] = []

    init(
        _ query: Query, on instance: SQLInstance, _ services: ScanServices, _ configuration: SQLConfiguration
    ) {
        self.query = query
        self.instance = instance
        self.services = services
        self.configuration = configuration
        cut = services.engine.cut(of: [])
    }

    /// Writes the answer to the query's pipe. - Throws: `SQLFailure`, `DuckDBFailure`.
    func run() throws {
        try instance.withConnection(for: self) { connection in
            try query.begin(on: connection)
            defer { query.leaveConnection() }
            var views: [String] = []
            defer { drop(views, connection) }
            try TextBounds.check(query.request.text)
            let text = try StatementText(query.request.text)
            let statement: Statement
            do {
                statement = try prepare(text, on: connection, &views)
            } catch let failure as DuckDBFailure {
                throw SQLFailure(failure).moved(text.clientPosition)
            } catch let failure as SQLFailure {
                throw failure.moved(text.clientPosition)
            }
            try bind(query.request.parameters, to: statement)
            try ResultSender(query, configuration, instance).send(try statement.run())
        }
    }

    // MARK: Before it runs

    private func prepare(
        _ text: StatementText, on connection: Connection, _ views: inout [String]
    ) throws -> Statement {
        let parsed = try connection.parse(text.text)
        guard parsed.count == 1 else {
            throw SQLFailure.refused(
                parsed.count == 0
                    ? "the text holds no statement" : "one statement a call, not \(parsed.count)")
        }
        let tree = try parse(text.query, on: connection)
        let engine = services.engine
        do {
            finding = try instance.fence.check(tree) { engine.log(named: $0) != nil }
        } catch {
            // Places in the tree are of the query alone.
            throw error.moved { $0 + text.explanation.utf8.count }
        }
        takeCut(finding.tables)
        if configuration.isTestMode { try connection.execute(Macros.now(milliseconds: cut.now)) }
        let found = BoundFinder(tree).bounds().filter { mayUse($0) }
        bounds = zip(found, instance.bounds.values(of: found, on: connection)).compactMap { bound, value in
            value.map { (bound, $0) }
        }
        if finding.listsLogs { return try connection.prepare(listOfLogs) }
        if let name = finding.described {
            return try connection.prepare("DESCRIBE FROM log_table(\(name.quotedLiteral))")
        }
        for name in finding.tables where name.contains(".") && parts[name] != nil {
            // DuckDB takes a name with an ending for a file before it asks us.
            try connection.execute(
                "CREATE OR REPLACE TEMP VIEW \(name.quotedIdentifier) AS FROM log_table(\(name.quotedLiteral))"
            )
            views.append(name)
        }
        let statement = try connection.prepare(parsed)
        guard statement.kind == (text.isExplain ? .explain : .select) else { throw Self.notASelect }
        return statement
    }

    /// Only where it saves more than it costs to evaluate, and touches no other use of the log.
    private func mayUse(_ bound: BoundFinder.Bound) -> Bool {
        let batchesMin = 4
        return finding.uses[bound.table] == 1 && (parts[bound.table]?.batches.count ?? 0) >= batchesMin
    }

    private static let notASelect = SQLFailure.refused(
        "only statements that read are allowed: SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES, EXPLAIN"
    )

    /// By DuckDB's own parse, as JSON.
    private func parse(_ text: String, on connection: Connection) throws -> SyntaxTree {
        let serialize = try connection.prepare("SELECT json_serialize_sql(?)")
        try serialize.bind(.text(text), at: 0)
        guard let chunk = try serialize.run().next(), chunk.rowCount == 1 else { throw Self.notASelect }
        let tree = SyntaxTree(String(decoding: chunk.vector(0).bytes(0), as: UTF8.self))
        // What is no SELECT cannot be written as JSON.
        guard let root = tree.nodes.indices.first, tree.member("statements", of: root) != nil else {
            throw Self.notASelect
        }
        return tree
    }

    /// All logs that the text names, at one instant.
    private func takeCut(_ names: Set<String>) {
        let logs = names.sorted().compactMap { services.engine.log(named: $0) }
        cut = services.engine.cut(of: logs)
        for part in cut.parts { parts[part.log.name] = part }
    }

    private var listOfLogs: String {
        let logs = services.engine.logs(prefix: "", startAfter: nil, limit: Int.max).logs
        guard !logs.isEmpty else { return "SELECT NULL::VARCHAR AS name WHERE false" }
        return "SELECT unnest([\(logs.map(\.name.quotedLiteral).joined(separator: ", "))]) AS name"
    }

    private func drop(_ views: [String], _ connection: Connection) {
        for name in views {
            // The next query that needs the name replaces it.
            try? connection.execute("DROP VIEW IF EXISTS temp.\(name.quotedIdentifier)")
        }
    }

    private func bind(_ parameters: Query.Parameters, to statement: Statement) throws {
        let names = statement.parameterNames
        switch parameters {
        case .none:
            guard names.isEmpty else {
                throw SQLFailure.parameters("the statement needs params: \(names.joined(separator: ", "))")
            }
        case .positional(let values):
            guard values.count == names.count else {
                throw SQLFailure.parameters(
                    "the statement has \(names.count) parameters, params has \(values.count)")
            }
            for (index, name) in names.enumerated() {
                guard let number = Int(name), values.indices.contains(number - 1) else {
                    throw SQLFailure.parameters("the parameter $\(name) is named: give params as an object")
                }
                try statement.bind(values[number - 1].bound, at: index)
            }
        case .named(let values):
            for (index, name) in names.enumerated() {
                guard let value = values[name] else {
                    throw SQLFailure.parameters("params has no member \(name)")
                }
                try statement.bind(value.bound, at: index)
            }
            if let unknown = values.keys.filter({ !names.contains($0) }).min() {
                throw SQLFailure.parameters("the statement has no parameter $\(unknown)")
            }
        }
    }

    // MARK: While it is bound

    /// What a call of a log function stands for.
    func table(_ name: String, _ choice: (Cut.Part) throws -> LogTable.Choice) throws -> LogTable {
        guard let part = parts[name] else { throw SQLFailure.unknownLog(name, position: nil) }
        let schema = try schemas[name] ?? makeSchema(part)
        schemas[name] = schema
        var choice = try choice(part)
        for (bound, value) in bounds where bound.table == name {
            if bound.column == .timestampAlias, !schema.timestampIsAlias { continue }
            choice.narrow(bound, value)
        }
        return LogTable(part, now: cut.now, schema: schema, choice: choice, services, for: query)
    }

    private func makeSchema(_ part: Cut.Part) throws -> LogSchema {
        let facts = try FactFinder(for: query, threads: services.threads).facts(of: part.batches)
        return LogSchema(facts, declared: part.configuration.schema, asked: finding)
    }
}
