import DuckDBClient
import JSON

/// `{"columns": [{"name", "type"}], "rows": [[…]], "row_count", "elapsed_ms"}`.
final class JSONResult: ResultEncoder {
    private var json = JSONWriter(capacity: 64 * 1024)
    private var types: [ColumnType] = []

    func takeBytes() -> [UInt8] { json.takeWritten() }

    func begin(_ result: ResultStream) {
        types = result.columns.map(\.type)
        json.beginObject()
        json.key("columns")
        json.array { json in
            for column in result.columns {
                json.object {
                    $0.member("name", column.name)
                    $0.member("type", column.type.name)
                }
            }
        }
        json.key("rows")
        json.beginArray()
    }

    func add(_ chunk: Chunk, _ rows: Range<Int>) {
        let vectors = types.indices.map(chunk.vector)
        for row in rows {
            json.beginArray()
            for (vector, type) in zip(vectors, types) { json.value(vector, row, type) }
            json.endArray()
        }
    }

    func end(rows: Int, elapsedMilliseconds: Double) {
        json.endArray()
        json.member("row_count", rows)
        json.member("elapsed_ms", elapsedMilliseconds)
        json.endObject()
        json.endLine()
    }
}
