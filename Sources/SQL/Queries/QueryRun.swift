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
    /// Of the logs' batches, before the cut.
    private var known: [String: LogFacts.Known] = [:]
    private var shapes: [String: Shape] = [:]
    /// Bound so far.
    private var tables: [LogTable] = []
    private var finding = Fence.Finding()
    private var filters: [Pushdown.Filter] = []
    private var bounds: [(bound: BoundFinder.Bound, value: Int64)] = []

    /// What its batches tell of a log.
    private struct Shape {
        let rows: LogTable.Rows
        let schema: LogSchema
    }

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
        try instance.withSession(for: self) { session in
            try query.begin(on: session.connection)
            defer { query.leaveConnection() }
            var views: [String] = []
            defer { drop(views, session.connection) }
            defer { for table in tables { table.close() } }
            let judgement = try judge(on: session)
            let result: ResultStream
            do {
                finding = judgement.finding
                filters = judgement.filters
                takeCut(finding.tables)
                if configuration.isTestMode {
                    try session.connection.execute(Macros.now(milliseconds: cut.now))
                }
                bounds = bounds(judgement.bounds, on: session.connection)
                result = try begin(judgement, on: session, &views)
            } catch {
                throw moved(error, judgement.text)
            }
            try ResultSender(query, configuration, instance).send(result)
        }
    }

    // MARK: Before it runs

    /// What is known of the text, or found out now.
    private func judge(on session: Session) throws -> Judgement {
        let engine = services.engine
        let isLog: (String) -> Bool = { engine.log(named: $0) != nil }
        if let known = instance.judgements.judgement(of: query.request.text), known.holds(where: isLog) {
            return known
        }
        try TextBounds.check(query.request.text)
        let text = try StatementText(query.request.text)
        do {
            let parsed = try session.connection.parse(text.text)
            guard parsed.count == 1 else {
                throw SQLFailure.refused(
                    parsed.count == 0
                        ? "the text holds no statement" : "one statement a call, not \(parsed.count)")
            }
            let tree = try session.parse(text.query)
            var names: [String: Bool] = [:]
            let finding: Fence.Finding
            do {
                finding = try instance.fence.check(tree) { name in
                    let isLog = isLog(name)
                    names[name] = isLog
                    return isLog
                }
            } catch {
                // Places in the tree are of the query alone.
                throw error.moved { $0 + text.explanation.utf8.count }
            }
            // Another use of a log is not bounded by them.
            let bounds = BoundFinder(tree).bounds().filter { finding.uses[$0.table] == 1 }
            let pushdown = Pushdown(bounds, of: text.query, tree).flatMap { pushdown in
                // Places that DuckDB counts in another way may give what is no statement.
                guard let tree = try? session.parse(pushdown.query) else { return Pushdown?.none }
                return pushdown.isSame(as: tree) ? pushdown : nil
            }
            let judgement = Judgement(
                text: pushdown.map { text.with(query: $0.query) } ?? text, finding: finding,
                filters: pushdown?.filters ?? [],
                bounds: bounds.filter { $0.holdsBefore && !(pushdown?.covers($0) ?? false) }, names: names)
            instance.judgements.keep(judgement, of: query.request.text)
            return judgement
        } catch {
            throw moved(error, text)
        }
    }

    /// With the place in the client's text.
    private func moved(_ error: any Error, _ text: StatementText) -> any Error {
        switch error {
        case let failure as DuckDBFailure: SQLFailure(failure).moved(text.clientPosition)
        case let failure as SQLFailure: failure.moved(text.clientPosition)
        default: error
        }
    }

    /// Runs the statement that was kept of the last time, or a new one.
    private func begin(
        _ judgement: Judgement, on session: Session, _ views: inout [String]
    ) throws -> ResultStream {
        let text = judgement.text.text
        if let result = try runKept(text, on: session) { return result }
        let statement = try prepare(judgement, on: session.connection, &views)
        try bind(query.request.parameters, to: statement)
        let isWorthKeeping = !tables.isEmpty && views.isEmpty && !judgement.text.isExplain
        let result = try statement.run()
        if isWorthKeeping, statement.parameterNames.isEmpty { session.keep(statement, text) }
        return result
    }

    private func runKept(_ text: String, on session: Session) throws -> ResultStream? {
        guard let statement = session.keptStatement(text) else { return nil }
        try bind(query.request.parameters, to: statement)
        do {
            let result = try statement.run()
            if !tables.isEmpty { return result }
        } catch {
            guard tables.isEmpty else { throw error }
        }
        // It was not bound again, as with a DuckDB that keeps its plans: it would read what logs were at another time.
        session.forget(text)
        return nil
    }

    private func prepare(
        _ judgement: Judgement, on connection: Connection, _ views: inout [String]
    ) throws -> Statement {
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
        let statement = try connection.prepare(judgement.text.text)
        guard statement.kind == (judgement.text.isExplain ? .explain : .select) else {
            throw SQLFailure.notASelect
        }
        return statement
    }

    private func bounds(
        _ bounds: [BoundFinder.Bound], on connection: Connection
    ) -> [(bound: BoundFinder.Bound, value: Int64)] {
        let found = bounds.filter { mayUse($0) }
        return zip(found, instance.bounds.values(of: found, now: cut.now, on: connection)).compactMap {
            bound, value in value.map { (bound, $0) }
        }
    }

    /// Only where it saves more than it costs to evaluate.
    private func mayUse(_ bound: BoundFinder.Bound) -> Bool {
        let batchesMin = 4
        return parts[bound.table]?.batches.count ?? 0 >= batchesMin
    }

    /// All logs that the text names, at one instant.
    private func takeCut(_ names: Set<String>) {
        let logs = names.sorted().compactMap { services.engine.log(named: $0) }
        for log in logs { known[log.name] = log.facts.known }
        cut = services.engine.cut(of: logs) { log, now in neededBatches(log, now) }
        for part in cut.parts { parts[part.log.name] = part }
    }

    /// Those that may pass the filters, and those that nothing is known of.
    private func neededBatches(_ log: Log, _ now: Int64) -> Cut.Choice? {
        guard let known = known[log.name], let choice = filtered(.init(newestOnly: false), log.name, now)
        else { return nil }
        return { place, mark in
            !known.covers(mark, at: place) || choice.mayShow(mark, known.timestamps(of: mark, at: place))
        }
    }

    /// Nil when there is no filter on the log.
    private func filtered(_ choice: LogTable.Choice, _ name: String, _ now: Int64) -> LogTable.Choice? {
        let own = filters.filter { $0.table == name }
        if own.isEmpty { return nil }
        var choice = choice
        for filter in own { choice.keep(filter, now: now, isExact: configuration.isTestMode) }
        return choice
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
        guard let part = parts[name], let known = known[name] else {
            throw SQLFailure.unknownLog(name, position: nil)
        }
        let shape = try shapes[name] ?? makeShape(part, known)
        shapes[name] = shape
        var choice = try choice(part)
        choice = filtered(choice, name, cut.now) ?? choice
        for (bound, value) in bounds where bound.table == name {
            if bound.column == .timestampAlias, !shape.schema.timestampIsAlias { continue }
            choice.narrow(bound, value)
        }
        let table = LogTable(
            shape.rows, now: cut.now, schema: shape.schema, choice: choice, services, for: query)
        tables.append(table)
        return table
    }

    /// - Parameter before: what was known before the cut.
    private func makeShape(_ part: Cut.Part, _ before: LogFacts.Known) throws -> Shape {
        let marks = part.marks
        let known = try FactFinder(for: query, threads: services.threads).facts(
            of: part, marks, since: before)
        return Shape(
            rows: LogTable.Rows(part: part, marks: marks, known: known),
            schema: LogSchema(known.joined, declared: part.configuration.schema, asked: finding))
    }
}
