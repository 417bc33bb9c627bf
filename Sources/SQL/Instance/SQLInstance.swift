import DuckDBClient
import Platform
import StorageEngine

/// DuckDB as queries reach it: locked down, with logs as its tables. And a second one, for the server's own use.
final class SQLInstance: Sendable {
    let caster: TextCaster
    let parquet: ParquetWriter
    let fence: Fence
    let bounds: BoundEvaluator
    let judgements = Judgements()
    let library: DuckDBLibrary
    private let database: Database
    private let sessions: Pool<Session>
    /// What runs on a connection, for the table functions bound there.
    private let runs = ConnectionRuns()

    /// - Throws: `unavailable` without a library.
    init(_ configuration: SQLConfiguration, memoryBytes: Int, isLog: @escaping @Sendable (String) -> Bool)
        throws(SQLFailure)
    {
        do throws(DuckDBFailure) {
            let library = try DuckDBLibrary(
                configured: configuration.libraryPath, unpacked: configuration.unpackedPaths)
            self.library = library
            let database = try Database(library, options: Self.options(configuration, memoryBytes))
            self.database = database
            sessions = Pool { () throws(DuckDBFailure) in try Session(database.connect()) }
            let helper = try Database(
                library,
                options: [
                    ("threads", String(configuration.threads)), ("temp_directory", ""),
                    ("memory_limit", "\(memoryBytes / 1024)KiB"),
                    // One thread reads in order; DuckDB bounds the bytes of a row group only where it need not keep any.
                    ("preserve_insertion_order", "false"),
                    ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"),
                ])
            // Instants are written as UTC where they do not say.
            try helper.connect().execute("SET GLOBAL TimeZone = 'UTC'")
            let helpers = ConnectionPool(helper)
            caster = try TextCaster(helpers)
            parquet = try ParquetWriter(helpers)
            let connection = try database.connect()
            try Self.prepare(connection)
            fence = Fence(
                systemViews: try Self.systemViews(connection), isTestMode: configuration.isTestMode)
            bounds = try BoundEvaluator(connection)
            for function in LogFunctions.all(run: { [runs] id in runs.byConnection.withLock { $0[id] } }) {
                try connection.register(function)
            }
            // The last one: nothing can be set from here on.
            try connection.execute("SET lock_configuration = true")
            database.replaceTables(by: LogFunctions.table, where: isLog)
        } catch {
            throw SQLFailure(error)
        }
    }

    /// In this order: once files are closed, their directory can no longer be set.
    private static func options(
        _ configuration: SQLConfiguration, _ memoryBytes: Int
    ) -> [(name: String, value: String)] {
        [
            ("threads", String(configuration.threads)),
            ("memory_limit", "\(memoryBytes / 1024)KiB"),
            // Nothing is written to disk: what does not fit is refused.
            ("temp_directory", ""), ("max_temp_directory_size", "0KiB"),
            ("autoinstall_known_extensions", "false"), ("autoload_known_extensions", "false"),
            ("allow_community_extensions", "false"), ("allow_unsigned_extensions", "false"),
            ("allow_persistent_secrets", "false"),
            ("enable_external_access", "false"),
        ]
    }

    private static func prepare(_ connection: Connection) throws(DuckDBFailure) {
        try connection.execute("SET GLOBAL TimeZone = 'UTC'")
        for macro in Macros.all { try connection.execute(macro) }
    }

    private static func systemViews(_ connection: Connection) throws(DuckDBFailure) -> Set<String> {
        let text = "SELECT view_name FROM duckdb_views() WHERE schema_name IN ('main', 'pg_catalog')"
        let result = try connection.prepare(text).run()
        var names: Set<String> = []
        while let chunk = try result.next() {
            for row in 0..<chunk.rowCount {
                names.insert(String(decoding: chunk.vector(0).bytes(row), as: UTF8.self).lowercased())
            }
        }
        return names
    }

    /// Lends a session, on whose connection table functions find `run`.
    func withSession<Value>(for run: QueryRun, _ body: (Session) throws -> Value) throws -> Value {
        try sessions.with { session in
            let identifier = session.connection.identifier
            runs.byConnection.withLock { $0[identifier] = run }
            defer { _ = runs.byConnection.withLock { $0.removeValue(forKey: identifier) } }
            return try body(session)
        }
    }

    /// What DuckDB has allocated, by its own count.
    func usedBytes(_ connection: Connection) throws(DuckDBFailure) -> Int {
        let result = try connection.prepare("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()")
            .run()
        guard let chunk = try result.next(), chunk.rowCount > 0, chunk.vector(0).isValid(0) else { return 0 }
        return Int(chunk.vector(0).value(0, as: Int64.self))
    }

    func connect() throws(DuckDBFailure) -> Connection { try database.connect() }
}

private final class ConnectionRuns: Sendable {
    let byConnection = Lock<[UInt64: QueryRun]>([:])
}
