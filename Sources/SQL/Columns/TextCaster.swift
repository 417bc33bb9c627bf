import DuckDBClient
import JSON
import Platform

/// Casts columns of text by DuckDB's own TRY_CAST, in an instance of the server's, apart from the one that users reach.
final class TextCaster: Sendable {
    private let helper: ConnectionPool
    /// What the connection with this identifier casts now.
    private let sources = Sources()

    init(_ helper: ConnectionPool) throws(DuckDBFailure) {
        self.helper = helper
        try helper.database.connect().register(
            TableFunction("texts") { [sources] call in
                guard let source = sources.byConnection.withLock({ $0[call.connection] }) else {
                    throw SQLFailure.refused("nothing is being cast")
                }
                return source
            })
    }

    /// - Returns: how many texts do not fit the type.
    func cast(
        _ raw: RawColumn, to type: String, into column: ExtractedColumn, from start: Int
    ) throws -> Int {
        do {
            return try castBorrowing(raw, to: type, into: column, from: start)
        } catch let failure as DuckDBFailure {
            throw SQLFailure(failure)
        }
    }

    private func castBorrowing(
        _ raw: RawColumn, to type: String, into column: ExtractedColumn, from start: Int
    ) throws -> Int {
        try helper.withConnection { connection in
            sources.byConnection.withLock { $0[connection.identifier] = TextSource(raw) }
            defer { _ = sources.byConnection.withLock { $0.removeValue(forKey: connection.identifier) } }
            return try cast(raw, to: type, into: column, from: start, on: connection)
        }
    }

    private final class Sources: Sendable {
        let byConnection = Lock<[UInt64: TextSource]>([:])
    }

    private func cast(
        _ raw: RawColumn, to type: String, into column: ExtractedColumn, from start: Int,
        on connection: Connection
    ) throws -> Int {
        let result = try connection.prepare("SELECT TRY_CAST(t AS \(type)) FROM texts()").run()
        let isText = result.columns[0].type.storage?.isText ?? false
        var row = 0
        var misfits = 0
        while let chunk = try result.next() {
            let vector = chunk.vector(0)
            let texts = isText ? CopiedTexts(vector, rows: chunk.rowCount) : nil
            for index in 0..<chunk.rowCount {
                defer { row += 1 }
                guard vector.isValid(index) else {
                    if raw.isValid(row) { misfits += 1 }
                    continue
                }
                let place = column.element(start + row)
                if let texts {
                    TextHeader.write(texts.text(index), to: place)
                } else {
                    vector.copyValue(index, bytes: column.elementBytes, to: place)
                }
                column.validity[(start + row) >> 6] |= 1 &<< UInt64((start + row) & 63)
            }
            if let texts { column.keep(texts, bytes: texts.byteCount) }
        }
        return misfits
    }
}

/// Texts of a chunk, copied out of it.
private final class CopiedTexts: @unchecked Sendable {
    // Sendable: filled in `init`, only read afterwards.
    let byteCount: Int
    private let bytes: UnsafeMutableRawPointer
    private var starts: [Int] = []

    init(_ vector: Vector, rows: Int) {
        var count = 0
        for row in 0..<rows {
            starts.append(count)
            if vector.isValid(row) { count += vector.bytes(row).count }
        }
        starts.append(count)
        byteCount = count
        bytes = .allocate(byteCount: max(1, count), alignment: 1)
        for row in 0..<rows where vector.isValid(row) {
            let text = vector.bytes(row)
            if let start = text.baseAddress {
                (bytes + starts[row]).copyMemory(from: start, byteCount: text.count)
            }
        }
    }

    deinit { bytes.deallocate() }

    func text(_ row: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: bytes + starts[row], count: starts[row + 1] - starts[row])
    }
}

/// A raw column of text as a table of one column.
private final class TextSource: TableSource, TableScan, @unchecked Sendable {
    // Sendable: the column is only read.
    private let raw: RawColumn
    let columns = [TableFunction.Column("t", .scalar(.varchar))]
    var rowsAtMost: Int { raw.rowCount }
    /// Rows come back in their order.
    let threadsMax = 1

    init(_ raw: RawColumn) { self.raw = raw }

    func scan(columns: [Int]) -> any TableScan { self }
    func makeCursor() -> any TableCursor { Cursor(raw) }

    private final class Cursor: TableCursor {
        private let raw: RawColumn
        private var row = 0
        init(_ raw: RawColumn) { self.raw = raw }

        func fill(_ output: OutputChunk) -> Int {
            let count = min(OutputChunk.rowsMax, raw.rowCount - row)
            guard count > 0 else { return 0 }
            output.data(0).copyMemory(
                from: raw.output.values + row * TextHeader.byteCount, byteCount: count * TextHeader.byteCount)
            readBits(raw.output.validity, at: row, count: count, into: output.validity(0))
            row += count
            return count
        }
    }
}
