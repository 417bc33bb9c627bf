import DuckDBClient
import Platform
import StorageEngine
import Synchronization

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
    private let part: Cut.Part
    private let now: Int64
    private let choice: Choice
    private let services: ScanServices
    private let query: Query

    init(
        _ part: Cut.Part, now: Int64, schema: LogSchema, choice: Choice, _ services: ScanServices,
        for query: Query
    ) {
        self.part = part
        self.now = now
        self.schema = schema
        self.choice = choice
        self.services = services
        self.query = query
        columns = schema.columns.map { TableFunction.Column($0.name, $0.column.type) }
        rowsAtMost = part.batches.reduce(0) { $0 + $1.rows.count }
    }

    func scan(columns: [Int]) throws -> any TableScan {
        // DuckDB may ask for a column that is none when it needs none.
        let wanted = columns.map { schema.columns.indices.contains($0) ? schema.columns[$0].column : nil }
        return LogScan(
            log: part.log, batches: part.batches.filter(mayHold), columns: wanted, now: now, choice, services,
            for: query)
    }

    private func mayHold(_ view: BatchView) -> Bool {
        let columns = view.columns
        let offsets = columns.offset(view.rows.lowerBound)...columns.offset(view.rows.upperBound - 1)
        let earliest = view.fields.minTimestamp
        let timestamps = min(earliest, view.maxTimestamp)...view.maxTimestamp
        if let wanted = choice.timestamps, !wanted.overlaps(timestamps) { return false }
        if let wanted = choice.offsets, !wanted.overlaps(offsets) { return false }
        return timestamps.overlaps(choice.batchTimestamps) && offsets.overlaps(choice.batchOffsets)
    }
}

/// One execution: its threads take batches from it.
final class LogScan: TableScan {
    let log: Log
    let columns: [LogColumn?]
    let fields: [FieldRequest]
    let now: Int64
    let choice: LogTable.Choice
    let services: ScanServices
    let query: Query
    private let batches: [BatchView]
    private let next = Atomic<Int>(0)

    init(
        log: Log, batches: [BatchView], columns: [LogColumn?], now: Int64, _ choice: LogTable.Choice,
        _ services: ScanServices, for query: Query
    ) {
        self.log = log
        self.batches = batches
        self.columns = columns
        self.now = now
        self.choice = choice
        self.services = services
        self.query = query
        fields = columns.compactMap { column in
            if case .field(let request) = column { request } else { nil }
        }
    }

    var threadsMax: Int { min(services.threads, batches.count) }

    func makeCursor() -> any TableCursor { LogCursor(self) }

    func nextBatch() -> BatchView? {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return index < batches.count ? batches[index] : nil
    }
}
