import CDuckDB

/// A vector of our own, which chunks of table functions may share without a copy. It never changes once it is shared.
package final class ColumnVector: @unchecked Sendable {
    // Sendable: filled by one thread before it is shared; sharing only counts references, which DuckDB does atomically.
    let handle: duckdb_vector
    private let functions: Functions
    /// `capacity` values of the type's storage.
    package let data: UnsafeMutableRawPointer

    /// - Precondition: the type has a storage of its own (`ColumnType.storage`), the library is loaded.
    package init(_ type: ColumnType, capacity: Int) {
        functions = loadedFunctions
        guard let type = type.makeHandle(functions) else { preconditionFailure("a column of a nested type") }
        handle = functions.pointee.create_vector(type.handle, idx_t(capacity))
        guard let data = functions.pointee.vector_get_data(handle) else {
            preconditionFailure("a vector without memory")
        }
        self.data = data
    }

    deinit {
        var handle: duckdb_vector? = handle
        functions.pointee.destroy_vector(&handle)
    }

    /// One bit a value, all set when it is asked for first. Vectors that nobody asked have no NULL.
    package func makeValidity() -> UnsafeMutablePointer<UInt64> {
        functions.pointee.vector_ensure_validity_writable(handle)
        guard let words = functions.pointee.vector_get_validity(handle) else {
            preconditionFailure("a vector without validity")
        }
        return words
    }
}

extension OutputChunk {
    /// The column's values are those of `vector`, from its first on.
    package func share(_ vector: ColumnVector, _ column: Int) {
        functions.pointee.vector_reference_vector(
            functions.pointee.data_chunk_get_vector(handle, idx_t(column)), vector.handle)
    }
}
