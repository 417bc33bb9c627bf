import StorageEngine

/// Finds the rows of a batch that a scan shows, some at a time.
struct RowSelector {
    /// Rows chosen by the last `select`, in order.
    private(set) var rows: [Int32] = []
    private let columns: BatchColumns
    private let end: Int
    private(set) var position: Int
    private let choice: LogTable.Choice
    private let now: Int64
    /// Nothing has to be looked at: all rows are shown.
    let isPlain: Bool

    init(_ columns: BatchColumns, _ rows: Range<Int>, _ choice: LogTable.Choice, now: Int64) {
        self.columns = columns
        position = rows.lowerBound
        end = rows.upperBound
        self.choice = choice
        self.now = now
        let bitmap = choice.newestOnly ? columns.newest ?? columns.present : columns.present
        isPlain =
            bitmap == nil && columns.deadlines == nil && choice.timestamps == nil && choice.offsets == nil
            && (columns.types == nil || !choice.newestOnly)
        if !isPlain { self.rows.reserveCapacity(2048) }
    }

    /// At most `limit` rows: a range when they lie side by side, otherwise `rows`. Nil at the end.
    mutating func select(limit: Int) -> Range<Int>? {
        guard position < end else { return nil }
        if isPlain {
            let start = position
            position = min(end, position + limit)
            return start..<position
        }
        rows.removeAll(keepingCapacity: true)
        while position < end, rows.count < limit {
            if isShown(position) { rows.append(Int32(truncatingIfNeeded: position)) }
            position += 1
        }
        guard let first = rows.first, let last = rows.last else { return nil }
        return Int(first)..<Int(last) + 1
    }

    @inline(__always)
    private func isShown(_ row: Int) -> Bool {
        if let present = columns.present, present[row >> 6] & (1 &<< UInt64(row & 63)) == 0 { return false }
        if choice.newestOnly {
            if let newest = columns.newest, newest[row >> 6] & (1 &<< UInt64(row & 63)) == 0 { return false }
            if columns.types != nil, columns.type(row).isTombstone { return false }
        }
        if columns.deadlines != nil, columns.deadline(row) <= now { return false }
        if let timestamps = choice.timestamps, !timestamps.contains(columns.timestamps[row]) { return false }
        if let offsets = choice.offsets, !offsets.contains(columns.offset(row)) { return false }
        return true
    }
}
