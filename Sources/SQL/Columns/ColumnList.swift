import DuckDBClient
import Platform
import StorageEngine

/// A field's columns of the batches of a log, in the order of a cut. A scan that finds them here need not ask each batch,
/// which would wait a dozen times for memory that nobody has used for long. Never changes.
final class ColumnList: Sendable {
    private struct Key: BitwiseCopyable, Sendable {
        /// Of the batch, which is not kept by this; 0: there is no column.
        var serial: UInt64 = 0
        var rowCount = 0
    }

    // Side by side: what is looked at first has no references to be counted.
    private let keys: [Key]
    private let columns: [ExtractedColumn?]

    /// - Parameter columns: of a cut's batches.
    init(_ columns: [ExtractedColumn?], _ marks: [BatchMark]) {
        self.columns = columns
        keys = zip(columns, marks).map { column, mark in
            column.map { Key(serial: mark.serial, rowCount: $0.rowCount) } ?? Key()
        }
    }

    var count: Int { keys.count }

    /// Nil unless there is one of that batch that reaches as far as the cut.
    /// - Parameter place: of the batch in its cut.
    @inline(__always)
    func column(at place: Int, _ mark: BatchMark) -> ExtractedColumn? {
        guard place < keys.count, keys[place].serial == mark.serial, keys[place].rowCount >= mark.rowsEnd
        else { return nil }
        return columns[place]
    }

    /// One of that batch, however far it reaches.
    func anyColumn(at place: Int, _ mark: BatchMark) -> ExtractedColumn? {
        place < keys.count && keys[place].serial == mark.serial ? columns[place] : nil
    }

    // A scan knows which batch comes next, and begins to load what it will wait for then: one after the other, as each tells
    // where the next one is.

    @inline(__always)
    func prefetchColumn(_ place: Int) {
        if place < columns.count, let column = columns[place] { prefetch(column, bytes: 128) }
    }

    @inline(__always)
    func prefetchTable(_ place: Int) {
        if place < columns.count { columns[place]?.prefetchTable() }
    }

    @inline(__always)
    func prefetchFirstPiece(_ place: Int) {
        if place < columns.count { columns[place]?.prefetchPiece(0) }
    }
}
