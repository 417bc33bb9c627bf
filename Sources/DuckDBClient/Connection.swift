import CDuckDB

/// A connection, used by one thread at a time; `interrupt` may come from any.
package final class Connection: @unchecked Sendable {
    // Sendable: whoever uses it owns it for that time; `interrupt` is safe from any thread.
    let handle: duckdb_connection
    let database: Database
    /// Names the connection where table functions are bound.
    package let identifier: UInt64
    var functions: Functions { database.functions }

    init(_ handle: duckdb_connection, of database: Database) {
        self.handle = handle
        self.database = database
        var context: duckdb_client_context?
        database.functions.pointee.connection_get_client_context(handle, &context)
        identifier = context.map(database.functions.pointee.client_context_get_connection_id) ?? 0
        database.functions.pointee.destroy_client_context(&context)
    }

    deinit {
        var handle: duckdb_connection? = handle
        functions.pointee.disconnect(&handle)
    }

    /// Ends what runs on the connection with an error, soon.
    package func interrupt() { functions.pointee.interrupt(handle) }

    /// Runs statements whose answer nobody needs.
    package func execute(_ text: String) throws(DuckDBFailure) {
        var result = duckdb_result()
        defer { functions.pointee.destroy_result(&result) }
        if functions.pointee.query(handle, text, &result) != DUCKDB_SUCCESS {
            throw .query(failure(functions.pointee.result_error(&result), in: text))
        }
    }

    /// - Throws: the first syntax error in the text.
    package func parse(_ text: String) throws(DuckDBFailure) -> ParsedText {
        var statements: duckdb_extracted_statements?
        let count = functions.pointee.extract_statements(handle, text, &statements)
        guard let statements else { throw .query(DuckDBError("there is no memory to parse with", in: "")) }
        let parsed = ParsedText(statements, count: Int(count), text: text, functions)
        if count == 0, let message = functions.pointee.extract_statements_error(statements) {
            throw .query(failure(message, in: text))
        }
        return parsed
    }

    /// - Precondition: `index` is below the text's `count`.
    package func prepare(_ parsed: ParsedText, _ index: Int = 0) throws(DuckDBFailure) -> Statement {
        var statement: duckdb_prepared_statement?
        let state = functions.pointee.prepare_extracted_statement(
            handle, parsed.handle, idx_t(index), &statement)
        return try prepared(statement, state, parsed.text)
    }

    package func prepare(_ text: String) throws(DuckDBFailure) -> Statement {
        var statement: duckdb_prepared_statement?
        let state = functions.pointee.prepare(handle, text, &statement)
        return try prepared(statement, state, text)
    }

    private func prepared(
        _ handle: duckdb_prepared_statement?, _ state: duckdb_state, _ text: String
    ) throws(DuckDBFailure) -> Statement {
        guard let handle else { throw .query(DuckDBError("there is no memory to prepare with", in: "")) }
        let statement = Statement(handle, text: text, on: self)
        if state != DUCKDB_SUCCESS {
            throw .query(failure(functions.pointee.prepare_error(handle), in: text))
        }
        return statement
    }

    func failure(_ message: UnsafePointer<CChar>?, in text: String) -> DuckDBError {
        DuckDBError(message.map { String(cString: $0) } ?? "it failed without saying why", in: text)
    }
}

/// A text that DuckDB has parsed into statements.
package final class ParsedText {
    let handle: duckdb_extracted_statements
    package let count: Int
    package let text: String
    private let functions: Functions

    init(
        _ handle: duckdb_extracted_statements, count: Int, text: String, _ functions: Functions
    ) {
        self.handle = handle
        self.count = count
        self.text = text
        self.functions = functions
    }

    deinit {
        var handle: duckdb_extracted_statements? = handle
        functions.pointee.destroy_extracted(&handle)
    }
}
