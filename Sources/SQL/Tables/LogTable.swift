import DuckDBClient
import Platform
import StorageEngine

/// A log of a cut as DuckDB scans it.
final class LogTable: TableSource {
    /// Which rows of the cut are shown.
    struct Choice: Sendable {
        /// The newest live row of each key; false: everything that is kept.
        var newestOnly: Bool
        /// In milliseconds, the end excluded.
        var timestamps: Range<Int64>?
        /// In every partition, the end excluded.
        var offsets: Range<Int64>?
        /// Batches with nothing in these are passed over; rows are not looked at.
        var batchTimestamps = Int64.min...Int64.max
        var batchOffsets = Int64.min...Int64.max

        /// Some batches may be passed over.
        var isBounded: Bool {
            comparesRows || batchTimestamps != Int64.min...Int64.max
                || batchOffsets != Int64.min...Int64.max
        }

        /// - Parameter now: of the cut.
        mutating func keep(_ filter: Pushdown.Filter, now: Int64, isExact: Bool) {
            let range = filter.range(now: now, isExact: isExact)
            if filter.column == .offset {
                offsets = offsets?.clamped(to: range) ?? range
            } else {
                timestamps = timestamps?.clamped(to: range) ?? range
            }
        }

        /// Rows may have to be looked at one by one.
        var comparesRows: Bool { timestamps != nil || offsets != nil }

        /// For rows of a batch: what all of them pass need not be asked of each.
        func within(_ offsets: ClosedRange<Int64>, _ timestamps: ClosedRange<Int64>) -> Self {
            var choice = self
            if self.offsets?.contains(offsets) ?? false { choice.offsets = nil }
            if self.timestamps?.contains(timestamps) ?? false { choice.timestamps = nil }
            return choice
        }

        /// Whether there may be a row to show in a batch with such times.
        func mayShow(_ mark: BatchMark, _ timestamps: ClosedRange<Int64>) -> Bool {
            if let wanted = self.timestamps, !wanted.overlaps(timestamps) { return false }
            if let wanted = offsets, !wanted.overlaps(mark.offsets) { return false }
            return timestamps.overlaps(batchTimestamps) && mark.offsets.overlaps(batchOffsets)
        }

        mutating func narrow(_ bound: BoundFinder.Bound, _ value: Int64) {
            func narrowed(_ range: ClosedRange<Int64>) -> ClosedRange<Int64> {
                // Bounds that leave nothing leave one value: no batch is wrongly kept for that.
                let bounds = bound.isLower ? value...Int64.max : Int64.min...value
                return range.clamped(to: bounds)
            }
            if bound.column == .offset {
                batchOffsets = narrowed(batchOffsets)
            } else {
                batchTimestamps = narrowed(batchTimestamps)
            }
        }
    }

    let columns: [TableFunction.Column]
    let rowsAtMost: Int
    private let schema: LogSchema
    private let now: Int64
    private let choice: Choice
    private let services: ScanServices
    private let query: Query
    /// Until the query has ended: a statement that is kept keeps what was bound for it.
    private let rows: Lock<Rows?>

    /// What of the log is read.
    struct Rows {
        let part: Cut.Part
        /// Of each batch of the part.
        let marks: [BatchMark]
        let known: LogFacts.Known

        /// Of a batch of the part, by its index.
        func mark(_ index: Int) -> BatchMark { marks[part.place(index)] }

        func timestamps(_ index: Int) -> ClosedRange<Int64> {
            known.timestamps(of: mark(index), at: part.place(index))
        }
    }

    init(
        _ rows: Rows, now: Int64, schema: LogSchema, choice: Choice, _ services: ScanServices,
        for query: Query
    ) {
        self.rows = Lock(rows)
        self.now = now
        self.schema = schema
        self.choice = choice
        self.services = services
        self.query = query
        columns = schema.columns.map { TableFunction.Column($0.name, $0.column.type) }
        rowsAtMost = rows.part.batches.indices.reduce(0) { $0 + rows.part.batches[$1].rows.count }
    }

    /// Lets go of the cut.
    func close() {
        let left = rows.withLock { rows in
            defer { rows = nil }
            return rows
        }
        _ = left
    }

    func scan(columns: [Int]) throws -> any TableScan {
        guard let rows = rows.withLock({ $0 }) else {
            throw SQLFailure.refused("what the statement reads was not bound anew")
        }
        // DuckDB may ask for a column that is none when it needs none.
        let wanted = columns.map { schema.columns.indices.contains($0) ? schema.columns[$0].column : nil }
        return LogScan(rows, chosen: chosen(rows), columns: wanted, now: now, choice, services, for: query)
    }

    /// Which batches may hold rows that are shown, told from what was noted about them. Nil: all of them.
    private func chosen(_ rows: Rows) -> [Int]? {
        if !choice.isBounded { return nil }
        return rows.part.batches.indices.filter { choice.mayShow(rows.mark($0), rows.timestamps($0)) }
    }
}
