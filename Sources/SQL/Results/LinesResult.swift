import DuckDBClient
import JSON

/// NDJSON: an object a row.
final class LinesResult: ResultEncoder {
    private var json = JSONWriter(capacity: 64 * 1024)
    private var columns: [(name: [UInt8], type: ColumnType)] = []

    func takeBytes() -> [UInt8] { json.takeWritten() }

    func begin(_ result: ResultStream) {
        columns = result.columns.map { (Array($0.name.utf8), $0.type) }
    }

    func add(_ chunk: Chunk, _ rows: Range<Int>) {
        let vectors = columns.indices.map(chunk.vector)
        for row in rows {
            json.beginObject()
            for (vector, column) in zip(vectors, columns) {
                column.name.withUnsafeBytes { json.key(utf8: $0) }
                json.value(vector, row, column.type)
            }
            json.endObject()
            json.endLine()
        }
    }

    func end(rows: Int, elapsedMilliseconds: Double) {}
}
