import CDuckDB

/// Vectors of our own, which chunks of table functions may share without a copy. They never change once they are shared.
package final class ColumnVectors: @unchecked Sendable {
    // Sendable: filled by one thread before they are shared; sharing only counts references, which DuckDB does atomically.
    private struct Place {
        let handle: duckdb_vector
        let data: UnsafeMutableRawPointer
    }

    private let functions: Functions
    /// Side by side: scans of many columns would wait for each object's memory.
    private let places: UnsafeMutablePointer<Place>
    package let count: Int

    /// - Precondition: the type has a storage of its own (`ColumnType.storage`), the library is loaded.
    package init(_ type: ColumnType, capacities: [Int]) {
        let functions = loadedFunctions
        guard let type = type.makeHandle(functions) else { preconditionFailure("a column of a nested type") }
        self.functions = functions
        count = capacities.count
        places = .allocate(capacity: max(1, count))
        for (index, capacity) in capacities.enumerated() {
            let handle = functions.pointee.create_vector(type.handle, idx_t(capacity))
            guard let data = functions.pointee.vector_get_data(handle) else {
                preconditionFailure("a vector without memory")
            }
            (places + index).initialize(to: Place(handle: handle, data: data))
        }
    }

    deinit {
        for index in 0..<count {
            var handle: duckdb_vector? = places[index].handle
            functions.pointee.destroy_vector(&handle)
        }
        places.deallocate()
    }

    /// `capacity` values of the type's storage.
    @inline(__always)
    package func data(_ index: Int) -> UnsafeMutableRawPointer { places[index].data }

    /// One bit a value, all set when it is asked for first. Vectors that nobody asked have no NULL.
    package func makeValidity(_ index: Int) -> UnsafeMutablePointer<UInt64> {
        functions.pointee.vector_ensure_validity_writable(places[index].handle)
        guard let words = functions.pointee.vector_get_validity(places[index].handle) else {
            preconditionFailure("a vector without validity")
        }
        return words
    }

    // For who wants memory loaded before it is looked at.

    /// What tells where the vectors are.
    package var table: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: places, count: count * MemoryLayout<Place>.stride)
    }

    /// DuckDB's own description of a vector, of unknown size.
    @inline(__always)
    package func description(_ index: Int) -> UnsafeRawPointer { UnsafeRawPointer(places[index].handle) }

    fileprivate func handle(_ index: Int) -> duckdb_vector { places[index].handle }
}

extension OutputChunk {
    /// The column's values are those of a vector, from its first on.
    package func share(_ vectors: ColumnVectors, _ index: Int, _ column: Int) {
        functions.pointee.vector_reference_vector(
            functions.pointee.data_chunk_get_vector(handle, idx_t(column)), vectors.handle(index))
    }
}
