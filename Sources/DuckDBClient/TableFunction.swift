import CDuckDB

/// A function of ours that stands in a FROM clause.
package struct TableFunction: Sendable {
    package struct Column: Sendable {
        package let name: String
        package let type: ColumnType
        package init(_ name: String, _ type: ColumnType) {
            self.name = name
            self.type = type
        }
    }

    /// The arguments of a call. NULL and what is not given is nil.
    package struct Call: Sendable {
        /// Of the connection that prepares the statement.
        package let connection: UInt64
        package let arguments: [String?]
        package let named: [String: String]
    }

    package let name: String
    /// All arguments are cast to VARCHAR, or to the type given here.
    package let parameters: [TypeIdentifier]
    package let named: [(name: String, type: TypeIdentifier)]
    /// What a call stands for. Its error is shown to the user.
    package let bind: @Sendable (Call) throws -> any TableSource

    package init(
        _ name: String, parameters: [TypeIdentifier] = [], named: [(name: String, type: TypeIdentifier)] = [],
        bind: @escaping @Sendable (Call) throws -> any TableSource
    ) {
        self.name = name
        self.parameters = parameters
        self.named = named
        self.bind = bind
    }
}

/// What a bound call will give. Kept until the statement and its result are gone.
package protocol TableSource: AnyObject, Sendable {
    var columns: [TableFunction.Column] { get }
    var rowsAtMost: Int { get }
    /// Begins a scan of these columns, in this order. Called once for each execution.
    func scan(columns: [Int]) throws -> any TableScan
}

package protocol TableScan: AnyObject, Sendable {
    var threadsMax: Int { get }
    /// For one thread, on it.
    func makeCursor() -> any TableCursor
}

/// One thread's part of a scan.
package protocol TableCursor: AnyObject {
    /// Writes at most `OutputChunk.rowsMax` rows. - Returns: how many; 0 at the end.
    func fill(_ output: OutputChunk) throws -> Int
}

/// Where a table function writes its rows.
package struct OutputChunk {
    package static let rowsMax = 2048
    let handle: duckdb_data_chunk
    let functions: Functions

    /// The memory of a column of the projection: `rowsMax` values of its storage.
    package func data(_ column: Int) -> UnsafeMutableRawPointer {
        guard let data = functions.pointee.vector_get_data(vector(column)) else {
            preconditionFailure("an output vector without memory")
        }
        return data
    }

    /// One bit a row, all set when it is made.
    package func validity(_ column: Int) -> UnsafeMutablePointer<UInt64> {
        let vector = vector(column)
        functions.pointee.vector_ensure_validity_writable(vector)
        guard let words = functions.pointee.vector_get_validity(vector) else {
            preconditionFailure("an output vector without validity")
        }
        return words
    }

    /// Copies the text into memory of the chunk's own.
    package func setText(_ bytes: UnsafeRawBufferPointer, _ column: Int, _ row: Int) {
        bytes.withMemoryRebound(to: CChar.self) { text in
            guard let start = text.baseAddress else {
                functions.pointee.vector_assign_string_element_len(vector(column), idx_t(row), "", 0)
                return
            }
            functions.pointee.vector_assign_string_element_len(
                vector(column), idx_t(row), start, idx_t(text.count))
        }
    }

    /// Hands over columns of another instance's chunk without copying: they share its memory.
    package func share(_ chunk: Chunk) {
        for column in 0..<Int(functions.pointee.data_chunk_get_column_count(handle)) {
            functions.pointee.vector_reference_vector(vector(column), chunk.vector(column).handle)
        }
    }

    private func vector(_ column: Int) -> duckdb_vector {
        functions.pointee.data_chunk_get_vector(handle, idx_t(column))
    }
}
