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
        // DuckDB asks for a column beyond the last when it needs none.
        let wanted = columns.map { $0 < schema.columns.count ? schema.columns[$0].column : nil }
        return LogScan(
            log: part.log, batches: part.batches.filter(mayHold), columns: wanted, now: now, choice, services,
            for: query)
    }

    private func mayHold(_ view: BatchView) -> Bool {
        if let timestamps = choice.timestamps, view.maxTimestamp < timestamps.lowerBound { return false }
        if let offsets = choice.offsets {
            let columns = view.columns
            return columns.offset(view.rows.upperBound - 1) >= offsets.lowerBound
                && columns.offset(view.rows.lowerBound) < offsets.upperBound
        }
        return true
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
