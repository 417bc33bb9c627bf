import DuckDBClient
import JSON
import StorageEngine

/// One thread's part of a scan: takes a batch, finds the rows that are shown, copies their columns into vectors.
final class LogCursor: TableCursor {
    private final class Current {
        let partition: Int
        let rowsEnd: Int
        let columns: BatchColumns
        /// Of the batch that the scan keeps, so that texts may point at them: one that was fetched goes before the chunk does.
        let keys: BatchColumns
        /// Of the scan's fields, in order.
        let fields: [ExtractedColumn]
        // Of one thread: no other looks at it meanwhile.
        @exclusivity(unchecked) var selector: RowSelector
        /// All its rows go out, in pieces as they are.
        let isShared: Bool
        /// What texts point into, of a batch from the archive: they are copied, so that it need not be held for longer.
        private let source: BatchView?
        /// There is a source.
        let isFetched: Bool

        /// The scan keeps the batch.
        /// - Parameter source: the batch with its values, where they were fetched.
        init(
            _ view: borrowing BatchView, _ fields: [ExtractedColumn], _ source: BatchView?,
            _ choice: LogTable.Choice, now: Int64
        ) {
            self.source = source
            isFetched = source != nil
            partition = view.partition
            rowsEnd = view.rows.upperBound
            keys = view.columns
            columns = source?.columns ?? keys
            self.fields = fields
            selector = RowSelector(columns, view.rows, choice, now: now)
            isShared = selector.isPlain && rowsEnd >= ExtractedColumn.sharedRowsMin && !view.isStub
        }
    }

    /// A shorter piece at the end of a large batch is worth copying together with others.
    private static let endRowsMax = ExtractedColumn.pieceRows / 2

    private let scan: LogScan
    private let query: Query
    /// A list of its own: threads that count references to one list hold each other up.
    private let sources: [LogScan.Source]
    private let lists: [ColumnList?]
    private let reader: FieldReader
    /// What is not extracted from them.
    private let readsValues: Bool
    /// Some columns are no extracted ones.
    private let hasOthers: Bool
    private var current: Current?
    /// Of the batches to read, those that are this thread's. Nil: there are no more.
    private var run: Range<Int>? = 0..<0
    /// Ends of large batches, set aside to go out together.
    @exclusivity(unchecked) private var ends: [(batch: Current, range: Range<Int>)] = []
    private var endRows = 0

    init(_ scan: LogScan) {
        self.scan = scan
        query = scan.query
        sources = scan.sources.map { $0 }
        lists = scan.lists.map { $0 }
        reader = FieldReader(scan.fields, of: scan.log, scan.services)
        readsValues = scan.sources.contains { $0.readsValues }
        hasOthers = scan.sources.contains { $0.isOther }
    }

    /// Pieces of large batches are shared; rows of small ones, or of those that are left, are copied, those of several
    /// batches into one chunk.
    func fill(_ output: OutputChunk) throws -> Int {
        try query.checkCancelled()
        var filled = 0
        while filled < OutputChunk.rowsMax {
            if current == nil { current = try nextBatch() }
            guard let batch = current else {
                return filled + endRows > OutputChunk.rowsMax ? filled : filled + copyEnds(output, filled)
            }
            if batch.isShared {
                if filled > 0 { return filled }
                if let count = share(batch, output) { return count }
            } else if let range = batch.selector.select(limit: OutputChunk.rowsMax - filled) {
                let rows = batch.selector.rows
                let selection = Selection(
                    range: range, rows: rows.count == range.count ? [] : rows, start: filled)
                fill(output, batch, selection)
                filled += selection.count
            } else {
                current = nil
            }
        }
        return filled
    }

    private func nextBatch() throws -> Current? {
        // Many batches may show no row: DuckDB looks at its interrupts between chunks only.
        try query.checkCancelled()
        guard let index = nextIndex() else { return nil }
        let listed = listedColumns(at: scan.place(index))
        let fields = try listed ?? columns(index)
        var source = listed == nil ? reader.source : nil
        if source == nil, readsValues, scan.batches[index].isStub {
            source = try query.loaded(scan.batches[index], of: scan.log)
        }
        return Current(scan.batches[index], fields, source, scan.choice(index), now: scan.now)
    }

    private func nextIndex() -> Int? {
        guard let before = run else { return nil }
        guard let left = before.isEmpty ? scan.nextRun() : before, let number = left.first else {
            run = nil
            if !lists.isEmpty { scan.endReading() }
            return nil
        }
        run = left.dropFirst()
        for list in lists {
            if left.count > 1 { list?.prefetchTable(scan.place(scan.index(number + 1))) }
            if left.count > 2 { list?.prefetchColumn(scan.place(scan.index(number + 2))) }
        }
        return scan.index(number)
    }

    private func prefetchNextBatch() {
        guard let number = run?.first else { return }
        for list in lists { list?.prefetchFirstPiece(scan.place(scan.index(number))) }
    }

    /// Nil unless all are listed.
    private func listedColumns(at place: Int) -> [ExtractedColumn]? {
        var columns: [ExtractedColumn] = []
        columns.reserveCapacity(lists.count)
        for list in lists {
            guard let column = list?.column(at: place, scan.marks[place]) else { return nil }
            columns.append(column)
        }
        return columns
    }

    private func columns(_ index: Int) throws -> [ExtractedColumn] {
        let isStub = scan.batches[index].isStub
        let columns = try reader.columns(of: scan.batches[index], for: query)
        for column in columns where !column.texts.isEmpty && !isStub { query.hold(column) }
        if reader.isKept { scan.note(columns, at: scan.place(index)) }
        return columns
    }

    /// The next piece of a large batch. - Returns: how many rows went out; nil when none did.
    private func share(_ batch: Current, _ output: OutputChunk) -> Int? {
        let pieceRows = ExtractedColumn.pieceRows
        guard let range = batch.selector.select(limit: pieceRows - batch.selector.position % pieceRows) else {
            current = nil
            return nil
        }
        if range.count > Self.endRowsMax || range.upperBound < batch.rowsEnd || scan.isOrdered {
            fill(output, batch, Selection(range: range, rows: [], start: 0))
            if batch.rowsEnd - range.upperBound <= Self.endRowsMax { prefetchNextBatch() }
            return range.count
        }
        current = nil
        let isFull = endRows + range.count > OutputChunk.rowsMax
        let copied = isFull ? copyEnds(output, 0) : nil
        ends.append((batch, range))
        endRows += range.count
        return copied
    }

    private func copyEnds(_ output: OutputChunk, _ start: Int) -> Int {
        var start = start
        for (batch, range) in ends {
            fill(output, batch, Selection(range: range, rows: [], start: start))
            start += range.count
        }
        defer { endRows = 0 }
        ends.removeAll(keepingCapacity: true)
        return endRows
    }

    private func fill(_ output: OutputChunk, _ batch: Current, _ selection: Selection) {
        for index in sources.indices {
            guard case .field(let field) = sources[index] else { continue }
            if batch.isFetched, scan.fields[field].isText {
                batch.fields[field].copyTexts(selection, to: output, index)
            } else {
                fill(output, index, batch.fields[field], selection, batch.isShared)
            }
        }
        if hasOthers { fillOthers(output, batch, selection) }
    }

    private func fillOthers(_ output: OutputChunk, _ batch: Current, _ selection: Selection) {
        let columns = batch.columns
        for index in sources.indices {
            switch sources[index] {
            case .none, .field: break
            case .partition:
                selection.write(output, index) { _ in Int32(truncatingIfNeeded: batch.partition) }
            case .offset: selection.write(output, index) { columns.offset($0) }
            case .key: selection.writeTexts(output, index) { batch.keys.key($0) }
            case .value where batch.isFetched:
                selection.copyTexts(output, index) { columns.type($0).isTombstone ? nil : columns.value($0) }
            case .value:
                selection.writeTexts(output, index) { columns.type($0).isTombstone ? nil : columns.value($0) }
            case .headers: writeHeaders(output, index, columns, selection)
            case .expiresAt:
                selection.writeTimes(output, index) {
                    let deadline = columns.deadline($0)
                    return deadline == Deadline.never ? nil : deadline
                }
            case .priority:
                selection.write(output, index) { Int32(columns.priorities?[$0] ?? 0) }
            }
        }
    }

    @inline(__always)
    private func fill(
        _ output: OutputChunk, _ index: Int, _ column: ExtractedColumn, _ selection: Selection,
        _ isShared: Bool
    ) {
        let first = selection.range.lowerBound
        // Where several go into one chunk, the first of them must not lend its memory to the others.
        let isWhole = isShared && selection.start == 0 && selection.range.count > Self.endRowsMax
        if isWhole, first % ExtractedColumn.pieceRows == 0 {
            let piece = first / ExtractedColumn.pieceRows
            output.share(column.pieces, piece, index)
            column.prefetchPiece(piece + 1)
        } else {
            column.copy(selection, to: output, index)
        }
    }

    private func writeHeaders(
        _ output: OutputChunk, _ index: Int, _ columns: BatchColumns, _ selection: Selection
    ) {
        let validity = output.validity(index)
        selection.forEach { place, row in
            let headers = columns.headers(row)
            guard !headers.isEmpty else {
                validity[place >> 6] &= ~(1 &<< UInt64(place & 63))
                return
            }
            var json = JSONWriter()
            json.object { json in
                for header in headers {
                    json.key(header.name)
                    json.string(header.value)
                }
            }
            output.setText(json.bytes, index, place)
        }
    }
}
