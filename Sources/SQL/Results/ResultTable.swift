import DuckDBClient

/// A running result as a table of another instance.
final class ResultTable: TableSource, TableScan, @unchecked Sendable {
    // Sendable: one thread scans it, once, while the thread that made it waits.
    private var result: ResultStream?
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
        // A file's columns have names of their own.
        var taken: Set<String> = []
        columns = result.columns.map { column in
            var name = column.name
            var number = 0
            while !taken.insert(name.lowercased()).inserted {
                number += 1
                name = "\(column.name)_\(number)"
            }
            return TableFunction.Column(name, column.type)
        }
    }

    func close() { result = nil }

    func scan(columns: [Int]) -> any TableScan { self }
    func makeCursor() -> any TableCursor { Cursor(self) }

    private func fill(_ output: OutputChunk) throws -> Int {
        if let failure = query.failure { throw failure }
        guard let chunk = try result?.next() else { return 0 }
        if query.countRows(chunk.rowCount) > rowsMax { throw SQLFailure.tooManyRows(limit: rowsMax) }
        output.share(chunk)
        return chunk.rowCount
    }

    private final class Cursor: TableCursor {
        private let table: ResultTable
        init(_ table: ResultTable) { self.table = table }

        func fill(_ output: OutputChunk) throws -> Int {
            do {
                return try table.fill(output)
            } catch {
                table.failure = error
                throw error
            }
        }
    }
}
