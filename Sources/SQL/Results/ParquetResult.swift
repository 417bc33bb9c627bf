import DuckDBClient
import Platform

/// A Parquet file, written by an instance of the server's into an operating-system pipe as rows come: nothing of it is
/// ever on disk, and little of it in memory.
struct ParquetResult {
    private let query: Query
    private let configuration: SQLConfiguration
    private let helper: Database

    init(_ query: Query, _ configuration: SQLConfiguration, _ helper: Database) {
        self.query = query
        self.configuration = configuration
        self.helper = helper
    }

    func send(_ result: ResultStream) throws {
        let connection = try helper.connect()
        let source = ResultSource(result, query, rowsMax: configuration.rowsMax)
        // The name is this connection's own: several files may be written at once.
        let name = "result_\(connection.identifier)"
        try connection.register(TableFunction(name) { _ in source })
        let bytes = try BytePipe()
        let reader = Thread(name: "parquet") { [query, configuration] in
            forward(bytes, to: query, bytesMax: configuration.resultBytesMax)
        }
        let failure: (any Error)?
        do {
            try connection.execute(
                "COPY (SELECT * FROM \(name)()) TO '/proc/self/fd/\(bytes.writeEnd)' (FORMAT parquet, USE_TMP_FILE false)"
            )
            failure = nil
        } catch {
            failure = query.failure ?? source.failure ?? error
        }
        bytes.closeWriteEnd()
        reader.join()
        if let failure = query.failure ?? failure { throw failure }
        query.pipe.end()
    }
}

private func forward(_ bytes: BytePipe, to query: Query, bytesMax: Int) {
    var total = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    defer { buffer.deallocate() }
    while true {
        let count = bytes.read(into: buffer)
        if count <= 0 { break }
        total += count
        if total > bytesMax { query.cancel(.tooLarge(limitBytes: bytesMax)) }
        guard query.pipe.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { break }
    }
    // The writer's next write fails.
    bytes.closeReadEnd()
}

/// A running result as a table of another instance.
private final class ResultSource: TableSource, TableScan, @unchecked Sendable {
    // Sendable: one thread scans it, once.
    private let result: ResultStream
    private let query: Query
    private let rowsMax: Int
    private(set) var failure: (any Error)?
    let columns: [TableFunction.Column]
    let rowsAtMost = 1 << 20
    let threadsMax = 1

    init(_ result: ResultStream, _ query: Query, rowsMax: Int) {
        self.result = result
        self.query = query
        self.rowsMax = rowsMax
        columns = result.columns.map { TableFunction.Column($0.name, $0.type) }
    }

    func scan(columns: [Int]) -> any TableScan { self }
    func makeCursor() -> any TableCursor { Cursor(self) }

    private final class Cursor: TableCursor {
        private let source: ResultSource
        init(_ source: ResultSource) { self.source = source }

        func fill(_ output: OutputChunk) throws -> Int {
            do {
                if let failure = source.query.failure { throw failure }
                guard let chunk = try source.result.next() else { return 0 }
                if source.query.countRows(chunk.rowCount) > source.rowsMax {
                    throw SQLFailure.tooManyRows(limit: source.rowsMax)
                }
                output.share(chunk)
                return chunk.rowCount
            } catch {
                source.failure = error
                throw error
            }
        }
    }
}
