/// Everything a batch knows of itself: columns, fill, bitmaps. Changed under the partition's lock only.
///
/// A copy of it, taken under the lock, is a consistent view: what lies below `rows` at that time never changes, and
/// the bitmaps are cloned before they change while a copy holds them.
///
/// Columns are laid out as Apache Arrow has them: 64-byte aligned, `Int32` offsets with one more than rows.
struct BatchHeader {
    /// No other batch of the process has it, nor ever had.
    let serial: UInt64
    /// Offset of row 0. Row + base = offset, unless `deltas` is there.
    let base: Int64
    let capacityRows: Int
    /// Rows filled, committed or not.
    var rows = 0
    /// One past the last offset that this batch stands for; beyond `base + rows` where rewriting left a hole.
    var endOfRange: Int64
    var maxTimestamp = Int64.min
    /// Sorted distances from `base`, in rewritten batches.
    let deltas: UnsafeMutablePointer<UInt32>?
    /// What is above is all that cuts look at of most batches.
    static let markBytes = 64

    let timestamps: UnsafeMutablePointer<Int64>
    let valueOffsets: UnsafeMutablePointer<Int32>
    let values: UnsafeMutableRawPointer
    let valueCapacity: Int
    let keyOffsets: UnsafeMutablePointer<Int32>?
    let keys: UnsafeMutableRawPointer?
    let keyCapacity: Int
    let extrasOffsets: UnsafeMutablePointer<Int32>?
    let extras: UnsafeMutableRawPointer?
    let extrasCapacity: Int
    // Optional columns of fixed width: nil means the default in every row.
    var types: UnsafeMutablePointer<UInt8>?
    var priorities: UnsafeMutablePointer<UInt8>?
    var deadlines: UnsafeMutablePointer<Int64>?
    /// Where user timestamps differ from the time of arrival.
    var arrivals: UnsafeMutablePointer<Int64>?

    /// Readable by offset. Nil: all rows.
    var present: Bitmap?
    /// The newest row of its key, or without a key. Nil: all rows.
    var newest: Bitmap?
    var presentCount = 0
    var newestCount = 0
    /// Of rows still present; `Deadline.never` without any.
    var earliestDeadline = Deadline.never
    var lastArrival = Int64.min
    /// When the last tombstone was written.
    var lastTombstone = Int64.min
    var isSealed = false
    /// Values and extras are in the archive: their offsets are here, and say how long they are; the bytes must not be read.
    var isStub = false
    /// Rewriting is worth another try once fewer rows are kept than this.
    var keptAtLastTry = Int.max
    /// It was not worth it for tombstones that tails should have time to see: those written until then.
    var heldByTombstonesUntil = Int64.min
    /// One bit a row, set when its key is read or written: in logs that evict by `lru`, from the first visit on.
    /// Under the partition's lock only.
    var visited: UnsafeMutablePointer<UInt64>?

    @inline(__always)
    func isPresent(_ row: Int) -> Bool { present?.contains(row) ?? true }
    @inline(__always)
    func isNewest(_ row: Int) -> Bool { newest?.contains(row) ?? true }

    /// The row is superseded. - Returns: false when the batch has to see to it: there is no bitmap yet, or a cut holds it.
    @inline(__always)
    mutating func clearNewestInPlace(_ row: Int) -> Bool {
        guard newest != nil, isKnownUniquelyReferenced(&newest), let newest else { return false }
        newestCount &-= newest.take(row)
        return true
    }

    @inline(__always)
    func isVisited(_ row: Int) -> Bool {
        visited.map { $0[row >> 6] & (1 &<< UInt64(row & 63)) != 0 } ?? false
    }

    /// Where the bytes of a stub's columns would be: nothing is mapped there, so that nobody takes other bytes for them.
    static var nowhere: UnsafeRawPointer? { UnsafeRawPointer(bitPattern: 4096) }

    /// Of a stub: there is something of the row in the archive.
    func isElsewhere(_ row: Int) -> Bool {
        isStub && (value(row).count > 0 || extras(row).count > 0)
    }

    var valueBytes: Int { Int(valueOffsets[rows]) }
    var keyBytes: Int { keyOffsets.map { Int($0[rows]) } ?? 0 }
    var extrasBytes: Int { extrasOffsets.map { Int($0[rows]) } ?? 0 }

    var usedColumns: ColumnPlan.Columns {
        var columns: ColumnPlan.Columns = []
        if keyBytes > 0 { columns.insert(.keys) }
        if extrasBytes > 0 { columns.insert(.extras) }
        if types != nil { columns.insert(.types) }
        if priorities != nil { columns.insert(.priorities) }
        if deadlines != nil { columns.insert(.deadlines) }
        if arrivals != nil { columns.insert(.arrivals) }
        return columns
    }

    var usage: ColumnPlan.Usage {
        ColumnPlan.Usage(
            rows: rows, keyBytes: keyBytes, valueBytes: valueBytes, extrasBytes: extrasBytes,
            columns: usedColumns)
    }

    @inline(__always)
    func offset(ofRow row: Int) -> Int64 {
        if let deltas { return base &+ Int64(deltas[row]) }
        return base &+ Int64(row)
    }

    /// The first row whose offset is at or above `offset`; `rows` when there is none.
    /// - Complexity: O(1) in dense batches, O(log rows) in rewritten ones.
    @inline(__always)
    func firstRow(atOrAbove offset: Int64) -> Int {
        if offset <= base { return 0 }
        let distance = offset &- base
        guard let deltas else { return Int(min(distance, Int64(rows))) }
        return firstRow(in: deltas, atOrAbove: distance)
    }

    private func firstRow(in deltas: UnsafeMutablePointer<UInt32>, atOrAbove distance: Int64) -> Int {
        var low = 0
        var high = rows
        while low < high {
            let middle = (low + high) / 2
            if Int64(deltas[middle]) < distance { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The row that holds exactly this offset.
    @inline(__always)
    func row(of offset: Int64) -> Int? {
        let row = firstRow(atOrAbove: offset)
        return row < rows && self.offset(ofRow: row) == offset ? row : nil
    }

    @inline(__always)
    func value(_ row: Int) -> UnsafeRawBufferPointer {
        let start = Int(valueOffsets[row])
        return UnsafeRawBufferPointer(start: values + start, count: Int(valueOffsets[row + 1]) - start)
    }

    /// Nil for a row without a key: keys are never empty.
    @inline(__always)
    func key(_ row: Int) -> UnsafeRawBufferPointer? {
        guard let keyOffsets, let keys else { return nil }
        let start = Int(keyOffsets[row])
        let count = Int(keyOffsets[row + 1]) - start
        return count == 0 ? nil : UnsafeRawBufferPointer(start: keys + start, count: count)
    }

    func extras(_ row: Int) -> UnsafeRawBufferPointer {
        guard let extrasOffsets, let extras else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = Int(extrasOffsets[row])
        return UnsafeRawBufferPointer(start: extras + start, count: Int(extrasOffsets[row + 1]) - start)
    }

    @inline(__always)
    func deadline(_ row: Int) -> Int64 { deadlines?[row] ?? Deadline.never }
    func arrival(_ row: Int) -> Int64 { arrivals?[row] ?? timestamps[row] }
    func type(_ row: Int) -> RecordType { RecordType(rawValue: types?[row] ?? RecordType.json.rawValue) }
    func priority(_ row: Int) -> UInt8 { priorities?[row] ?? 0 }
}
