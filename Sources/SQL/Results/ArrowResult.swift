import ArrowStream
import DuckDBClient

/// Apache Arrow's IPC stream: the schema, then a record batch for each chunk.
final class ArrowResult: ResultEncoder {
    private var bytes: [UInt8] = []
    private var encoder: ArrowStreamEncoder?
    private var exporter: ArrowExporter?

    func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    func begin(_ result: ResultStream) throws(SQLFailure) {
        do {
            let exporter = try ArrowExporter(result)
            let schema = ArrowSchemaMemory()
            try exporter.exportSchema(to: schema.pointer)
            let encoder = try ArrowStreamEncoder(schema: schema)
            bytes = encoder.header()
            self.encoder = encoder
            self.exporter = exporter
        } catch {
            throw Self.failure(error)
        }
    }

    /// Chunks go out whole: `rows` beyond the first are part of them.
    func add(_ chunk: Chunk, _ rows: Range<Int>) throws(SQLFailure) {
        guard rows.lowerBound == 0, let encoder, let exporter else { return }
        do {
            let array = ArrowArrayMemory()
            try exporter.export(chunk, to: array.pointer)
            bytes += try encoder.batch(array)
        } catch {
            throw Self.failure(error)
        }
    }

    func end(rows: Int, elapsedMilliseconds: Double) { bytes += ArrowStreamEncoder.end }

    private static func failure(_ error: any Error) -> SQLFailure {
        switch error {
        case let failure as DuckDBFailure: SQLFailure(failure)
        default: .query(message: "\(error)", position: nil)
        }
    }
}
