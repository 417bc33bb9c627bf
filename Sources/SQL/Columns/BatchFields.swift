import DuckDBClient
import JSON
import Platform
import StorageEngine
import Synchronization

/// What queries have found out about a batch: which fields its values have, and columns of some of them.
final class BatchFields: Sendable, OutlivesValues {
    struct Facts: Sendable {
        var summary = FieldSummary()
        /// Every key so far is UTF-8.
        var keysAreText = true
        /// Every value so far is JSON, or UTF-8; tombstones have none.
        var valuesAreJSON = true
        var valuesAreText = true
        /// Of all rows that were looked at.
        var minTimestamp = Int64.max
        var rowCount: Int { summary.rowCount }
    }

    private struct Kept {
        let request: FieldRequest
        var column: ExtractedColumn
    }

    private struct State {
        var facts = Facts()
        /// Few mostly, and in the same order in many batches: searched from where a scan found one last.
        var columns: [Kept] = []
        /// Of its log, once there are columns.
        var lists: ColumnLists?

        func place(of request: FieldRequest, near hint: Int = 0) -> Int? {
            if hint < columns.count, columns[hint].request == request { return hint }
            return columns.firstIndex { $0.request == request }
        }
    }

    private let state = Lock(State())
    /// Of the cache, when it was used last.
    let usedAt = Atomic<Int>(0)

    deinit { state.withLock { $0.lists }?.noteGone() }

    /// For what is to be dropped first. A list that was used may have been used for this batch, which is not told.
    var lastUse: (orOfLists: Int, own: Int) {
        let own = usedAt.load(ordering: .relaxed)
        let lists = state.withLock { $0.lists }
        return (max(own, lists?.usedAt.load(ordering: .relaxed) ?? 0), own)
    }

    /// Texts point into the batch; all else is copied out of it.
    var withoutValues: any AnyObject & Sendable {
        let copy = BatchFields()
        let (facts, columns, lists) = state.withLock { ($0.facts, $0.columns, $0.lists) }
        copy.usedAt.store(usedAt.load(ordering: .relaxed), ordering: .relaxed)
        copy.learn(facts)
        if let lists {
            for kept in columns where !kept.request.isText {
                copy.keep(kept.column, for: kept.request, in: lists)
            }
        }
        return copy
    }

    var facts: Facts { state.withLock { $0.facts } }

    var knownRowCount: Int { state.withLock { $0.facts.rowCount } }

    /// Keeps the facts that cover more rows.
    func learn(_ facts: Facts) {
        state.withLock { if facts.rowCount > $0.facts.rowCount { $0.facts = facts } }
    }

    /// - Parameter hints: where each was in the last batch, and is in this one.
    func columns(_ requests: [FieldRequest], near hints: inout [Int]) -> [ExtractedColumn?] {
        state.withLock { state in
            requests.indices.map { index in
                guard let place = state.place(of: requests[index], near: hints[index]) else { return nil }
                hints[index] = place
                return state.columns[place].column
            }
        }
    }

    /// - Parameter lists: of the log.
    func keep(_ column: ExtractedColumn, for request: FieldRequest, in lists: ColumnLists) {
        let replaced = state.withLock { state -> ExtractedColumn? in
            state.lists = lists
            guard let place = state.place(of: request) else {
                state.columns.append(Kept(request: request, column: column))
                return nil
            }
            let kept = state.columns[place].column
            if kept.rowCount >= column.rowCount { return nil }
            state.columns[place].column = column
            return kept
        }
        // Freed outside of the lock.
        _ = replaced
    }

    /// Columns that a running query holds stay with it.
    /// - Returns: the bytes that are charged for what was dropped.
    func dropColumns() -> Int {
        let dropped = state.withLock { state -> [Kept] in
            defer { state.columns = [] }
            return state.columns
        }
        return dropped.reduce(0) { $0 + $1.column.chargedBytes }
    }
}

/// A field in the form of one column type.
struct FieldRequest: Hashable, Sendable {
    let name: String
    let type: FieldType
    /// Computed once: a scan looks for its columns in every batch.
    private let hash: Int

    /// The record's own time, kept as fields are: DuckDB counts microseconds. No field has an empty name.
    static let recordTime = Self(name: "", type: .recordTime)

    var isRecordTime: Bool { name.isEmpty }
    /// Its column points at bytes elsewhere.
    var isText: Bool { type.type.storage == nil }

    init(name: String, type: FieldType) {
        self.name = name
        self.type = type
        var hasher = Hasher()
        hasher.combine(ExactString(name))
        hasher.combine(type)
        hash = hasher.finalize()
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    static func == (one: FieldRequest, other: FieldRequest) -> Bool {
        one.hash == other.hash && ExactString(one.name) == ExactString(other.name) && one.type == other.type
    }
}
