import CDuckDB

/// An in-memory DuckDB instance. Children keep it open.
package final class Database: @unchecked Sendable {
    // Sendable: the handle is written in `init` and used by DuckDB's functions, which are safe from any thread.
    package let library: DuckDBLibrary
    private var handle: duckdb_database?
    var functions: Functions { library.functions }

    /// - Parameter options: DuckDB's configuration, set in this order before the instance starts.
    package init(_ library: DuckDBLibrary, options: [(name: String, value: String)]) throws(DuckDBFailure) {
        self.library = library
        let functions = library.functions
        var config: duckdb_config?
        guard functions.pointee.create_config(&config) == DUCKDB_SUCCESS, let handle = config else {
            throw .query(DuckDBError("no memory for a configuration", in: ""))
        }
        defer { functions.pointee.destroy_config(&config) }
        for (name, value) in options where functions.pointee.set_config(handle, name, value) != DUCKDB_SUCCESS
        {
            throw .query(DuckDBError("the option \(name) cannot be '\(value)'", in: ""))
        }
        var error: UnsafeMutablePointer<CChar>?
        if functions.pointee.open_ext(nil, &self.handle, handle, &error) != DUCKDB_SUCCESS {
            let message = error.map { String(cString: $0) } ?? "the instance does not start"
            functions.pointee.free(error)
            throw .query(DuckDBError(message, in: ""))
        }
    }

    deinit { functions.pointee.close(&handle) }

    package func connect() throws(DuckDBFailure) -> Connection {
        var connection: duckdb_connection?
        guard let handle, functions.pointee.connect(handle, &connection) == DUCKDB_SUCCESS, let connection
        else {
            throw .query(DuckDBError("there is no memory for a connection", in: ""))
        }
        return Connection(connection, of: self)
    }

    /// Lets names that are no tables stand for calls of a table function with the name as its argument.
    ///
    /// - Parameter covers: whether a name is one of ours. Called on the thread that prepares a statement.
    package func replaceTables(
        by function: String, where covers: @escaping @Sendable (String) -> Bool
    ) {
        guard let handle else { return }
        let scan = ReplacementScan(functions, function: function, covers: covers)
        functions.pointee.add_replacement_scan(
            handle,
            { info, name, data in
                guard let data else { return }
                let scan = Unmanaged<ReplacementScan>.fromOpaque(data).takeUnretainedValue()
                scan.replace(name, info)
            }, Unmanaged.passRetained(scan).toOpaque(), releaseOwned)
    }
}

private final class ReplacementScan {
    private let functions: Functions
    private let function: String
    private let covers: @Sendable (String) -> Bool

    init(_ functions: Functions, function: String, covers: @escaping @Sendable (String) -> Bool) {
        self.functions = functions
        self.function = function
        self.covers = covers
    }

    func replace(_ name: UnsafePointer<CChar>, _ info: duckdb_replacement_scan_info) {
        let name = String(cString: name)
        guard covers(name) else { return }
        functions.pointee.replacement_scan_set_function_name(info, function)
        var value: duckdb_value? = functions.pointee.create_varchar_length(name, idx_t(name.utf8.count))
        if let value { functions.pointee.replacement_scan_add_parameter(info, value) }
        functions.pointee.destroy_value(&value)
    }
}

/// The other half of `Unmanaged.passRetained` for what C holds.
let releaseOwned: duckdb_delete_callback = { data in
    if let data { Unmanaged<AnyObject>.fromOpaque(data).release() }
}
