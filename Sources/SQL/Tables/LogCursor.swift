import DuckDBClient
import JSON
import StorageEngine

/// One thread's part of a scan: takes a batch, finds the rows that are shown, copies their columns into vectors.
final class LogCursor: TableCursor {
    private struct Current {
        let view: BatchView
        let columns: BatchColumns
        /// Of the scan's fields, in order.
        let fields: [ExtractedColumn]
        var selector: RowSelector

        /// All its rows go out, in pieces as they are.
        var isShared: Bool { selector.isPlain && view.rows.upperBound >= ExtractedColumn.sharedRowsMin }
    }

    private let scan: LogScan
    private let reader: FieldReader
    private var current: Current?

    init(_ scan: LogScan) {
        self.scan = scan
        reader = FieldReader(scan.fields, of: scan.log, scan.services)
    }

    /// Pieces of large batches are shared; rows of small ones, or of those that are left, are copied, those of several
    /// batches into one chunk.
    func fill(_ output: OutputChunk) throws -> Int {
        if let failure = scan.query.failure { throw failure }
        var filled = 0
        while filled < OutputChunk.rowsMax {
            guard var batch = try current ?? nextBatch() else { return filled }
            current = batch
            if batch.isShared, filled > 0 { return filled }
            let pieceRows = ExtractedColumn.pieceRows
            let limit =
                batch.isShared
                ? pieceRows - batch.selector.position % pieceRows : OutputChunk.rowsMax - filled
            let range = batch.selector.select(limit: limit)
            current = range == nil ? nil : batch
            guard let range else { continue }
            let rows = batch.selector.rows
            let selection = Selection(
                range: range, rows: rows.count == range.count ? [] : rows, start: filled)
            fill(output, batch, selection)
            filled += selection.count
            if batch.isShared { return filled }
        }
        return filled
    }

    private func nextBatch() throws -> Current? {
        // Many batches may show no row: DuckDB looks at its interrupts between chunks only.
        if let failure = scan.query.failure { throw failure }
        guard let view = scan.nextBatch() else { return nil }
        let fields = try reader.columns(of: view)
        for column in fields where !column.texts.isEmpty { scan.query.hold(column) }
        return Current(
            view: view, columns: view.columns, fields: fields,
            selector: RowSelector(view, scan.choice, now: scan.now))
    }

    private func fill(_ output: OutputChunk, _ batch: Current, _ selection: Selection) {
        var field = 0
        let columns = batch.columns
        for (index, column) in scan.columns.enumerated() {
            switch column {
            case nil: break
            case .field:
                let column = batch.fields[field]
                if batch.isShared, selection.range.lowerBound % ExtractedColumn.pieceRows == 0 {
                    output.share(column.pieces[selection.range.lowerBound / ExtractedColumn.pieceRows], index)
                } else {
                    column.copy(selection, to: output, index)
                }
                field += 1
            case .partition:
                selection.write(output, index) { _ in Int32(truncatingIfNeeded: batch.view.partition) }
            case .offset: selection.write(output, index) { columns.offset($0) }
            case .timestamp: selection.writeTimes(output, index) { columns.timestamps[$0] }
            case .key: selection.writeTexts(output, index) { columns.key($0) }
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
