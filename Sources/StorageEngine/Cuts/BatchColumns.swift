/// The memory of a batch's columns, for loops over many rows. Optional columns are nil where all rows have the default.
package struct BatchColumns: @unchecked Sendable {
    // Sendable: the rows of the view that it comes from are committed and never change.
    /// Offset of row 0.
    package let base: Int64
    /// Distances of the rows' offsets from `base`; nil: the row number.
    package let deltas: UnsafePointer<UInt32>?
    package let timestamps: UnsafePointer<Int64>
    package let valueOffsets: UnsafePointer<Int32>
    package let values: UnsafeRawPointer
    package let keyOffsets: UnsafePointer<Int32>?
    package let keys: UnsafeRawPointer?
    package let extrasOffsets: UnsafePointer<Int32>?
    package let extras: UnsafeRawPointer?
    /// `RecordType` of each row; nil: JSON.
    package let types: UnsafePointer<UInt8>?
    package let priorities: UnsafePointer<UInt8>?
    package let deadlines: UnsafePointer<Int64>?
    /// One bit a row; nil: all set.
    package let present: UnsafePointer<UInt64>?
    package let newest: UnsafePointer<UInt64>?

    init(_ header: BatchHeader) {
        base = header.base
        deltas = header.deltas.map { UnsafePointer($0) }
        timestamps = UnsafePointer(header.timestamps)
        valueOffsets = UnsafePointer(header.valueOffsets)
        values = UnsafeRawPointer(header.values)
        keyOffsets = header.keyOffsets.map { UnsafePointer($0) }
        keys = header.keys.map { UnsafeRawPointer($0) }
        extrasOffsets = header.extrasOffsets.map { UnsafePointer($0) }
        extras = header.extras.map { UnsafeRawPointer($0) }
        types = header.types.map { UnsafePointer($0) }
        priorities = header.priorities.map { UnsafePointer($0) }
        deadlines = header.deadlines.map { UnsafePointer($0) }
        present = header.present.map { UnsafePointer($0.words) }
        newest = header.newest.map { UnsafePointer($0.words) }
    }

    @inline(__always)
    package func offset(_ row: Int) -> Int64 { base &+ (deltas.map { Int64($0[row]) } ?? Int64(row)) }

    @inline(__always)
    package func value(_ row: Int) -> UnsafeRawBufferPointer {
        let start = Int(valueOffsets[row])
        return UnsafeRawBufferPointer(start: values + start, count: Int(valueOffsets[row + 1]) - start)
    }

    /// Nil for a row without a key.
    @inline(__always)
    package func key(_ row: Int) -> UnsafeRawBufferPointer? {
        guard let keyOffsets, let keys else { return nil }
        let start = Int(keyOffsets[row])
        let count = Int(keyOffsets[row + 1]) - start
        return count == 0 ? nil : UnsafeRawBufferPointer(start: keys + start, count: count)
    }

    package func headers(_ row: Int) -> [RecordExtras.Header] {
        guard let extrasOffsets, let extras else { return [] }
        let start = Int(extrasOffsets[row])
        let count = Int(extrasOffsets[row + 1]) - start
        return RecordExtras(decoding: UnsafeRawBufferPointer(start: extras + start, count: count)).headers
    }

    @inline(__always)
    package func type(_ row: Int) -> RecordType {
        RecordType(rawValue: types?[row] ?? RecordType.json.rawValue)
    }
    @inline(__always)
    package func deadline(_ row: Int) -> Int64 { deadlines?[row] ?? Deadline.never }
}
