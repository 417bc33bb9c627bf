import CDuckDB

/// Hands a result's types and chunks over by Arrow's C data interface, into structures of the caller's.
package final class ArrowExporter {
    private let result: ResultStream
    private let options: duckdb_arrow_options
    private var functions: Functions { result.connection.functions }

    package init(_ result: ResultStream) throws(DuckDBFailure) {
        self.result = result
        var options: duckdb_arrow_options?
        result.connection.functions.pointee.connection_get_arrow_options(result.connection.handle, &options)
        guard let options else { throw .query(DuckDBError("there are no options for Arrow", in: "")) }
        self.options = options
    }

    deinit {
        var options: duckdb_arrow_options? = options
        functions.pointee.destroy_arrow_options(&options)
    }

    /// - Parameter schema: an `ArrowSchema`.
    package func exportSchema(to schema: UnsafeMutableRawPointer) throws(DuckDBFailure) {
        let failure = result.withTypes { types in
            withCStrings(result.columns.map(\.name)) { names in
                functions.pointee.to_arrow_schema(options, &types, &names, idx_t(types.count), schema)
            }
        }
        try check(failure)
    }

    /// - Parameter array: an `ArrowArray`.
    package func export(_ chunk: Chunk, to array: UnsafeMutableRawPointer) throws(DuckDBFailure) {
        try check(functions.pointee.data_chunk_to_arrow(options, chunk.handle, array))
    }

    private func check(_ error: duckdb_error_data?) throws(DuckDBFailure) {
        var error = error
        defer { functions.pointee.destroy_error_data(&error) }
        guard let handle = error, functions.pointee.error_data_has_error(handle) else { return }
        let message = functions.pointee.error_data_message(handle).map { String(cString: $0) }
        throw .query(DuckDBError(message ?? "Arrow export failed", in: ""))
    }
}
