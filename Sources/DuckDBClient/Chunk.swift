import CDuckDB

/// Rows of a result, column by column. Owns its memory; strings may point into what a table function handed over.
package final class Chunk {
    let handle: duckdb_data_chunk
    private let functions: Functions

    init(_ handle: duckdb_data_chunk, _ functions: Functions) {
        self.handle = handle
        self.functions = functions
    }

    deinit {
        var handle: duckdb_data_chunk? = handle
        functions.pointee.destroy_data_chunk(&handle)
    }

    package var rowCount: Int { Int(functions.pointee.data_chunk_get_size(handle)) }

    /// - Precondition: `column` is below the number of columns. The chunk outlives the vector.
    package func vector(_ column: Int) -> Vector {
        Vector(functions.pointee.data_chunk_get_vector(handle, idx_t(column)), functions)
    }
}
