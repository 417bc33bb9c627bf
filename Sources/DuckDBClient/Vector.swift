import CDuckDB

/// A column of a chunk, as memory: valid while the chunk is.
package struct Vector {
    let handle: duckdb_vector
    private let functions: Functions
    private let data: UnsafeMutableRawPointer?
    private let validity: UnsafeMutablePointer<UInt64>?

    init(_ handle: duckdb_vector, _ functions: Functions) {
        self.handle = handle
        self.functions = functions
        data = functions.pointee.vector_get_data(handle)
        validity = functions.pointee.vector_get_validity(handle)
    }

    package func isValid(_ row: Int) -> Bool {
        guard let validity else { return true }
        return validity[row >> 6] & (1 &<< UInt64(row & 63)) != 0
    }

    /// - Precondition: the column's storage is `Value`, the row is there.
    package func value<Value: BitwiseCopyable>(_ row: Int, as type: Value.Type) -> Value {
        guard let data else { preconditionFailure("a vector without data") }
        return data.load(fromByteOffset: row * MemoryLayout<Value>.stride, as: type)
    }

    /// Copies a value of `bytes` bytes as it is stored.
    package func copyValue(_ row: Int, bytes: Int, to target: UnsafeMutableRawPointer) {
        guard let data else { preconditionFailure("a vector without data") }
        target.copyMemory(from: data + row * bytes, byteCount: bytes)
    }

    /// The bytes of a VARCHAR, BLOB or BIT.
    package func bytes(_ row: Int) -> UnsafeRawBufferPointer {
        guard let data else { preconditionFailure("a vector without data") }
        return TextHeader.bytes(at: data + row * TextHeader.byteCount)
    }

    /// Where a list's elements lie in `elements`.
    package func listRange(_ row: Int) -> Range<Int> {
        guard let data else { preconditionFailure("a vector without data") }
        let entry = data + row * 16
        let start = Int(entry.load(as: UInt64.self))
        return start..<start + Int(entry.load(fromByteOffset: 8, as: UInt64.self))
    }

    /// The elements of a list or map.
    package var elements: Vector { Vector(functions.pointee.list_vector_get_child(handle), functions) }
    package var arrayElements: Vector { Vector(functions.pointee.array_vector_get_child(handle), functions) }
    package func member(_ index: Int) -> Vector {
        Vector(functions.pointee.struct_vector_get_child(handle, idx_t(index)), functions)
    }
}

/// How DuckDB refers to a string: 16 bytes with the count, then up to 12 bytes themselves, or four of them and a pointer.
package enum TextHeader {
    package static let byteCount = 16
    package static let inlinedMax = 12

    package static func bytes(at header: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        let count = Int(header.load(as: UInt32.self))
        if count <= inlinedMax { return UnsafeRawBufferPointer(start: header + 4, count: count) }
        return UnsafeRawBufferPointer(
            start: header.load(fromByteOffset: 8, as: UnsafeRawPointer?.self), count: count)
    }

    /// Refers to `bytes`, which must outlive whoever reads the header.
    @inline(__always)
    package static func write(_ bytes: UnsafeRawBufferPointer, to header: UnsafeMutableRawPointer) {
        header.storeBytes(of: UInt32(truncatingIfNeeded: bytes.count), as: UInt32.self)
        guard let start = bytes.baseAddress, bytes.count > 0 else {
            (header + 4).initializeMemory(as: UInt8.self, repeating: 0, count: 12)
            return
        }
        if bytes.count <= inlinedMax {
            (header + 4).initializeMemory(as: UInt8.self, repeating: 0, count: 12)
            (header + 4).copyMemory(from: start, byteCount: bytes.count)
        } else {
            (header + 4).copyMemory(from: start, byteCount: 4)
            header.storeBytes(of: start, toByteOffset: 8, as: UnsafeRawPointer.self)
        }
    }
}
