import Platform
import StorageEngine
import Synchronization

/// The lists of a log, beside it.
final class ColumnLists: Sendable {
    /// New columns that are fewer than this part of those that were read are not worth another list: they are asked for at
    /// their batches. As many columns of batches that are gone may be kept by a list.
    private static let changedPartMin = 16
    /// Nor those that are fewer than this part of all: a list is as long as the log, whatever part of it a scan reads.
    private static let listedPartMin = 256

    private struct State {
        var lists: [FieldRequest: ColumnList] = [:]
        /// Batches that had columns and are gone, since the lists were dropped last.
        var goneCount = 0
        var longest: Int { lists.values.reduce(0) { max($0, $1.count) } }

        mutating func take() -> [FieldRequest: ColumnList] {
            defer { self = State() }
            return lists
        }
    }

    private let state = Lock(State())
    /// Of the cache, when one was used last.
    let usedAt = Atomic<Int>(0)

    func list(_ request: FieldRequest) -> ColumnList? { state.withLock { $0.lists[request] } }

    /// - Parameters:
    ///   - found: columns that are kept beside their batches, by the place of the batch in a cut.
    ///   - marks: of the cut's batches.
    ///   - readCount: of these, how many were read.
    func keep(
        _ found: [Int: ExtractedColumn], _ marks: [BatchMark], of request: FieldRequest, read readCount: Int
    ) {
        guard found.count * Self.changedPartMin >= readCount,
            found.count * Self.listedPartMin >= marks.count
        else { return }
        let before = list(request)
        let columns = marks.indices.map { found[$0] ?? before?.anyColumn(at: $0, marks[$0]) }
        let list = ColumnList(columns, marks)
        let replaced = state.withLock { $0.lists.updateValue(list, forKey: request) }
        // Freed outside of the lock.
        _ = replaced
    }

    /// A batch is gone that had columns: lists do not keep many of those.
    func noteGone() {
        let dropped = state.withLock { state -> [FieldRequest: ColumnList] in
            state.goneCount += 1
            return state.goneCount * Self.changedPartMin >= state.longest ? state.take() : [:]
        }
        _ = dropped
    }

    func drop() {
        let dropped = state.withLock { $0.take() }
        _ = dropped
    }
}
