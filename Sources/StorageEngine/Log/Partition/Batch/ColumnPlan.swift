/// Which columns a batch has from the start, and how much room each gets in its slab.
struct ColumnPlan {
    struct Columns: OptionSet {
        let rawValue: UInt8
        static let keys = Columns(rawValue: 1)
        static let extras = Columns(rawValue: 2)
        static let types = Columns(rawValue: 4)
        static let deadlines = Columns(rawValue: 8)
        static let priorities = Columns(rawValue: 16)
        static let arrivals = Columns(rawValue: 32)
        static let deltas = Columns(rawValue: 64)
    }

    /// What a batch must hold at least, or what the last one held: the base of the estimate.
    struct Usage {
        var rows = 0
        var keyBytes = 0
        var valueBytes = 0
        var extrasBytes = 0
        var columns: Columns = []

        /// What the rows take in a slab, padding aside.
        var bytes: Int { rows * ColumnPlan.fixedBytes(columns) + keyBytes + valueBytes + extrasBytes }

        mutating func add(_ other: Usage) {
            rows += other.rows
            keyBytes += other.keyBytes
            valueBytes += other.valueBytes
            extrasBytes += other.extrasBytes
        }
    }

    private static let alignment = 64
    /// At most, beside what the rows take: padding, and the last element of each column of offsets.
    static let overheadBytes = alignment * 13
    /// Limits `Int32` column offsets and keeps a batch of tiny records searchable.
    static let rowsMax = 1 << 16

    let columns: Columns
    let rows: Int
    let keyBytes: Int
    let extrasBytes: Int
    let valueBytes: Int
    let slabBytes: Int

    /// - Parameters:
    ///   - need: what must fit.
    ///   - habit: the proportions to expect for the rest of the slab.
    ///   - target: the slab's size in bytes unless `need` is larger.
    init(need: Usage, habit: Usage, target: Int) {
        columns = need.columns.union(habit.columns)
        let expected = habit.rows > 0 ? habit : need
        let expectedRows = max(1, expected.rows)
        let fixed = Self.fixedBytes(columns)
        let perRow =
            Double(fixed)
            + Double(expected.keyBytes + expected.extrasBytes + expected.valueBytes) / Double(expectedRows)
        let overhead = Self.overheadBytes
        let wanted = Int(perRow * Double(need.rows)) + overhead
        let size = max(target, wanted)
        let estimate = Int(Double(size - overhead) / max(1, perRow))
        let rows = max(need.rows, min(Self.rowsMax, max(1, estimate)))
        func share(_ total: Int, _ needed: Int) -> Int {
            let average = Double(total) / Double(expectedRows)
            return max(needed, Int(average * Double(rows)) + 16)
        }
        let keyBytes = columns.contains(.keys) ? share(expected.keyBytes, need.keyBytes) : 0
        let extrasBytes = columns.contains(.extras) ? share(expected.extrasBytes, need.extrasBytes) : 0
        let before = Self.bytesBeforeValues(columns, rows: rows, keyBytes: keyBytes, extrasBytes: extrasBytes)
        slabBytes = SlabPool.roundedBytes(max(target, before + need.valueBytes))
        self.rows = rows
        self.keyBytes = keyBytes
        self.extrasBytes = extrasBytes
        valueBytes = slabBytes - before
    }

    static func fixedBytes(_ columns: Columns) -> Int {
        var bytes = 8 + 4
        if columns.contains(.keys) { bytes += 4 }
        if columns.contains(.extras) { bytes += 4 }
        if columns.contains(.types) { bytes += 1 }
        if columns.contains(.priorities) { bytes += 1 }
        if columns.contains(.deadlines) { bytes += 8 }
        if columns.contains(.arrivals) { bytes += 8 }
        if columns.contains(.deltas) { bytes += 4 }
        return bytes
    }

    private static func bytesBeforeValues(_ columns: Columns, rows: Int, keyBytes: Int, extrasBytes: Int)
        -> Int
    {
        var cursor = SlabCursor()
        _ = cursor.take(rows * 8)
        _ = cursor.take((rows + 1) * 4)
        if columns.contains(.keys) { _ = cursor.take((rows + 1) * 4) }
        if columns.contains(.extras) { _ = cursor.take((rows + 1) * 4) }
        if columns.contains(.deadlines) { _ = cursor.take(rows * 8) }
        if columns.contains(.arrivals) { _ = cursor.take(rows * 8) }
        if columns.contains(.deltas) { _ = cursor.take(rows * 4) }
        if columns.contains(.types) { _ = cursor.take(rows) }
        if columns.contains(.priorities) { _ = cursor.take(rows) }
        if columns.contains(.keys) { _ = cursor.take(keyBytes) }
        if columns.contains(.extras) { _ = cursor.take(extrasBytes) }
        return cursor.position
    }
}

/// Hands out consecutive 64-byte aligned pieces of a slab.
struct SlabCursor {
    private(set) var position = 0

    mutating func take(_ bytes: Int) -> Int {
        defer { position = (position + bytes + 63) & ~63 }
        return position
    }
}
