import DuckDBClient
import Platform

/// Sends a result through its query's pipe, within the bounds on rows and bytes.
struct ResultSender {
    /// Rows are encoded a few at a time: values can be large.
    private static let rowsAtOnce = 256
    private static let pieceBytes = 64 * 1024

    private let query: Query
    private let configuration: SQLConfiguration
    private let instance: SQLInstance

    init(_ query: Query, _ configuration: SQLConfiguration, _ instance: SQLInstance) {
        self.query = query
        self.configuration = configuration
        self.instance = instance
    }

    func send(_ result: ResultStream) throws {
        try result.checkTypes()
        switch query.request.format {
        case .json: try encode(result, JSONResult())
        case .lines: try encode(result, LinesResult())
        case .csv: try encode(result, CSVResult())
        case .arrow: try encode(result, ArrowResult())
        case .parquet: try instance.parquet.send(result, for: query, configuration)
        }
    }

    private func encode(
        _ result: ResultStream, _ encoder: any ResultEncoder
    ) throws {
        var pending: [UInt8] = []
        var sentBytes = 0
        func flush(_ bytes: [UInt8], isLast: Bool = false) throws {
            pending += bytes
            guard isLast || pending.count >= Self.pieceBytes else { return }
            sentBytes += pending.count
            if sentBytes > configuration.resultBytesMax {
                throw SQLFailure.tooLarge(limitBytes: configuration.resultBytesMax)
            }
            guard pending.withUnsafeBytes(query.pipe.write) else {
                throw query.failure ?? .cancelled("nobody reads the answer")
            }
            pending.removeAll(keepingCapacity: true)
        }
        try encoder.begin(result)
        while let chunk = try result.next() {
            if let failure = query.failure { throw failure }
            let count = chunk.rowCount
            if query.countRows(count) > configuration.rowsMax {
                throw SQLFailure.tooManyRows(limit: configuration.rowsMax)
            }
            for first in stride(from: 0, to: count, by: Self.rowsAtOnce) {
                try encoder.add(chunk, first..<min(count, first + Self.rowsAtOnce))
                try flush(encoder.takeBytes())
            }
        }
        let elapsed = Double(Clock.monotonicNanoseconds() - query.arrivedNanoseconds) / 1_000_000
        try encoder.end(rows: query.rows, elapsedMilliseconds: (elapsed * 1000).rounded() / 1000)
        try flush(encoder.takeBytes(), isLast: true)
        query.pipe.end()
    }
}

extension ResultStream {
    /// - Throws: for a type that has no form in answers.
    func checkTypes() throws(SQLFailure) {
        for column in columns {
            if let name = column.type.unknownPart {
                throw .query(
                    message:
                        "the column \(column.name) has the type \(name), which answers have no form for: cast it to VARCHAR",
                    position: nil)
            }
        }
    }
}
