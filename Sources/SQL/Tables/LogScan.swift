import DuckDBClient
import Platform
import StorageEngine
import Synchronization

/// One execution: its threads take batches from it.
final class LogScan: TableScan {
    /// What each column of the projection comes from; fields by their place in `fields`. Nothing to be counted in it:
    /// threads read it for each chunk.
    enum Source: BitwiseCopyable {
        case none, field(Int), partition, offset, key, value, headers, expiresAt, priority

        /// Bytes of values, or beside them: those of an archived batch have to be fetched.
        var readsValues: Bool {
            switch self {
            case .value, .headers: true
            case .none, .field, .partition, .offset, .key, .expiresAt, .priority: false
            }
        }

        var isOther: Bool {
            switch self {
            case .none, .field: false
            case .partition, .offset, .key, .value, .headers, .expiresAt, .priority: true
            }
        }
    }

    /// A thread takes some batches at a time, so that it knows which one comes next: few enough that threads end together.
    private static let runBatchesMax = 4

    let log: Log
    let sources: [Source]
    let fields: [FieldRequest]
    let now: Int64
    private let choice: LogTable.Choice
    private let rows: LogTable.Rows
    let services: ScanServices
    let query: Query
    let batches: [BatchView]
    let marks: [BatchMark]
    /// Of the fields, as far as they are known.
    let lists: [ColumnList?]
    /// Of the batches, those that are read; nil: all.
    private let chosen: [Int]?
    private let runBatches: Int
    private let next = Atomic<Int>(0)
    private let cursors = Atomic<Int>(0)
    private let found = Lock(Found())
    private let shedCount: Int

    /// Columns that are in no list, by field and place.
    private struct Found {
        var columns: [[Int: ExtractedColumn]] = []
        var readers = 0
    }

    init(
        _ rows: LogTable.Rows, chosen: [Int]?, columns: [LogColumn?], now: Int64, _ choice: LogTable.Choice,
        _ services: ScanServices, for query: Query
    ) {
        self.rows = rows
        log = rows.part.log
        batches = rows.part.batches
        marks = rows.marks
        self.chosen = chosen
        self.now = now
        self.choice = choice
        self.services = services
        self.query = query
        var fields: [FieldRequest] = []
        func place(_ request: FieldRequest) -> Int {
            if let known = fields.firstIndex(of: request) { return known }
            fields.append(request)
            return fields.count - 1
        }
        sources = columns.map { column in
            switch column {
            case nil: return .none
            case .field(let request): return .field(place(request))
            case .partition: return .partition
            case .offset: return .offset
            case .timestamp: return .field(place(.recordTime))
            case .key: return .key
            case .value: return .value
            case .headers: return .headers
            case .expiresAt: return .expiresAt
            case .priority: return .priority
            }
        }
        self.fields = fields
        shedCount = services.cache.shedCount
        let lists = log.facts.columns
        self.lists = fields.map { lists.list($0) }
        if !fields.isEmpty { lists.usedAt.store(services.cache.nextTime(), ordering: .relaxed) }
        // The texts of its columns are read until the result is gone.
        for case let list? in self.lists { query.hold(list) }
        let count = chosen?.count ?? batches.count
        runBatches = max(1, min(Self.runBatchesMax, count / (8 * max(1, services.threads))))
    }

    var batchCount: Int { chosen?.count ?? batches.count }

    var threadsMax: Int { min(services.threads, batchCount) }

    /// One thread reads, so rows come in their order: DuckDB uses one where the order can be seen.
    var isOrdered: Bool { cursors.load(ordering: .relaxed) <= 1 }

    func makeCursor() -> any TableCursor {
        cursors.wrappingAdd(1, ordering: .relaxed)
        if !fields.isEmpty { found.withLock { $0.readers += 1 } }
        return LogCursor(self)
    }

    /// Which of the batches to read are the caller's; nil when none is left.
    func nextRun() -> Range<Int>? {
        let start = next.wrappingAdd(runBatches, ordering: .relaxed).oldValue
        return start < batchCount ? start..<min(batchCount, start + runBatches) : nil
    }

    /// Of a batch to read, among `batches`.
    @inline(__always)
    func index(_ number: Int) -> Int { chosen?[number] ?? number }

    /// Of a batch, among all of the log: in `marks` and in lists.
    @inline(__always)
    func place(_ index: Int) -> Int { rows.part.place(index) }

    /// Which rows of a batch are shown.
    func choice(_ index: Int) -> LogTable.Choice {
        choice.comparesRows ? choice.within(marks[place(index)].offsets, rows.timestamps(index)) : choice
    }

    // MARK: Columns that are in no list

    /// All of the fields', of one batch.
    func note(_ columns: [ExtractedColumn], at place: Int) {
        found.withLock { found in
            if found.columns.isEmpty { found.columns = columns.map { _ in [:] } }
            for (index, column) in columns.enumerated() { found.columns[index][place] = column }
        }
    }

    /// A cursor has come to the end: the last one of them lists what was found.
    func endReading() {
        let columns = found.withLock { found -> [[Int: ExtractedColumn]] in
            found.readers -= 1
            guard found.readers == 0 else { return [] }
            defer { found.columns = [] }
            return found.columns
        }
        // What was dropped meanwhile must not be kept by a list.
        let lists = log.facts.columns
        guard !columns.isEmpty, shedCount == services.cache.shedCount else { return }
        services.cache.add(lists, of: log)
        for (request, columns) in zip(fields, columns) {
            lists.keep(columns, marks, of: request, read: batchCount)
        }
        if shedCount != services.cache.shedCount { lists.drop() }
    }
}
