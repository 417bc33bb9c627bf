import CDuckDB

/// Rows of a running statement, a chunk of at most 2048 at a time.
package final class ResultStream {
    private var result: duckdb_result
    private let text: String
    let connection: Connection
    package let columns: [(name: String, type: ColumnType)]
    private var functions: Functions { connection.functions }

    init(_ result: duckdb_result, text: String, on connection: Connection) {
        self.result = result
        self.text = text
        self.connection = connection
        let functions = connection.functions
        var result = result
        columns = (0..<functions.pointee.column_count(&result)).map { index in
            let name = functions.pointee.column_name(&result, index).map { String(cString: $0) } ?? ""
            let type = functions.pointee.column_logical_type(&result, index).map {
                ColumnType(LogicalType($0, functions))
            }
            return (name, type ?? .other("UNKNOWN"))
        }
    }

    deinit { functions.pointee.destroy_result(&result) }

    /// Nil at the end.
    package func next() throws(DuckDBFailure) -> Chunk? {
        guard let chunk = functions.pointee.fetch_chunk(result) else {
            if let message = functions.pointee.result_error(&result) {
                throw .query(connection.failure(message, in: text))
            }
            return nil
        }
        return Chunk(chunk, functions)
    }

    /// The columns as DuckDB describes them.
    func withTypes<Result>(_ body: (inout [duckdb_logical_type?]) -> Result) -> Result {
        var types = columns.indices.map { functions.pointee.column_logical_type(&result, idx_t($0)) }
        defer { for index in types.indices { functions.pointee.destroy_logical_type(&types[index]) } }
        return body(&types)
    }
}
