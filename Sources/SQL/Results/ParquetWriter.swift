import DuckDBClient
import Platform

/// Writes Parquet files, by an instance of the server's, into an operating-system pipe as rows come: nothing of them is
/// ever on disk, and little in memory.
final class ParquetWriter: Sendable {
    private let helper: ConnectionPool
    /// What the connection with this identifier writes now.
    private let sources = Sources()

    init(_ helper: ConnectionPool) throws(DuckDBFailure) {
        self.helper = helper
        try helper.database.connect().register(
            TableFunction("result") { [sources] call in
                guard let source = sources.byConnection.withLock({ $0[call.connection] }) else {
                    throw SQLFailure.refused("nothing is being written")
                }
                return source
            })
    }

    private final class Sources: Sendable {
        let byConnection = Lock<[UInt64: ResultTable]>([:])
    }

    /// Sends the whole result through the query's pipe.
    func send(_ result: ResultStream, for query: Query, _ configuration: SQLConfiguration) throws {
        let isUnlimited = query.request.isUnlimited
        let source = ResultTable(result, query, rowsMax: isUnlimited ? .max : configuration.rowsMax)
        let bytesMax = isUnlimited ? .max : configuration.resultBytesMax
        let bytes = try BytePipe()
        let reader = Thread(name: "parquet") {
            Self.forward(bytes, to: query, bytesMax: bytesMax)
        }
        let outcome = Result { try write(source, to: bytes.writeEnd) }
        // DuckDB may keep what was bound longer than the statement: the result must not live as long.
        source.close()
        // A failed connection is closed by now, and with it DuckDB's own end of the pipe.
        bytes.closeWriteEnd()
        reader.join()
        if case .failure(let error) = outcome { throw query.failure ?? source.failure ?? error }
        if let failure = query.failure { throw failure }
        query.pipe.end()
    }

    private func write(_ source: ResultTable, to file: Int32) throws {
        try helper.withConnection { connection in
            sources.byConnection.withLock { $0[connection.identifier] = source }
            defer { _ = sources.byConnection.withLock { $0.removeValue(forKey: connection.identifier) } }
            try connection.execute(
                """
                COPY (SELECT * FROM result()) TO '/proc/self/fd/\(file)'
                    (FORMAT parquet, USE_TMP_FILE false, ROW_GROUP_SIZE 20480, ROW_GROUP_SIZE_BYTES 33554432)
                """)
        }
    }

    private static func forward(_ bytes: BytePipe, to query: Query, bytesMax: Int) {
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
}
