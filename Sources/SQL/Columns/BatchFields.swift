import JSON
import Platform
import StorageEngine
import Synchronization

/// What queries have found out about a batch: which fields its values have, and columns of some of them.
final class BatchFields: Sendable {
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

    private struct State {
        var facts = Facts()
        var columns: [FieldRequest: ExtractedColumn] = [:]
    }

    private let state = Lock(State())
    /// Of the cache, when it was used last.
    let usedAt = Atomic<Int>(0)

    var facts: Facts { state.withLock { $0.facts } }

    var knownRowCount: Int { state.withLock { $0.facts.rowCount } }
    var minTimestamp: Int64 { state.withLock { $0.facts.minTimestamp } }

    /// Keeps the facts that cover more rows.
    func learn(_ facts: Facts) {
        state.withLock { if facts.rowCount > $0.facts.rowCount { $0.facts = facts } }
    }

    func column(_ request: FieldRequest) -> ExtractedColumn? { state.withLock { $0.columns[request] } }

    func keep(_ column: ExtractedColumn, for request: FieldRequest) {
        let replaced = state.withLock { state -> ExtractedColumn? in
            if let kept = state.columns[request], kept.rowCount >= column.rowCount { return nil }
            return state.columns.updateValue(column, forKey: request)
        }
        // Freed outside of the lock.
        _ = replaced
    }

    /// Columns that a running query holds stay with it.
    /// - Returns: the bytes that are charged for what was dropped.
    func dropColumns() -> Int {
        let dropped = state.withLock { state -> [FieldRequest: ExtractedColumn] in
            defer { state.columns = [:] }
            return state.columns
        }
        return dropped.values.reduce(0) { $0 + $1.chargedBytes }
    }
}

/// A field in the form of one column type.
struct FieldRequest: Hashable, Sendable {
    let name: String
    let type: FieldType
}
