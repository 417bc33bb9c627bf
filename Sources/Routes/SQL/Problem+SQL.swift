import JSON
import SQL

extension Problem {
    init(_ failure: SQLFailure) {
        switch failure {
        case .unavailable(let places):
            self.init(
                .notImplemented,
                "there is no SQL without DuckDB's library; set duckdb_library (PYRALOG_DUCKDB_LIBRARY), install libduckdb.so, or run scripts/bootstrap. Looked for: \(places)"
            )
        case .refused(let reason): self.init(.queryError, reason)
        case .unknownLog(let name, let position):
            self.init(
                .queryError, "there is no log \(Problem.quoted(name))", members: Self.members(position))
        case .query(let message, let position):
            self.init(.queryError, message, members: Self.members(position))
        case .outOfMemory(let reason, isAlone: true):
            self.init(.queryError, "\(reason) (the memory of queries is bounded by sql.memory)")
        case .outOfMemory(let reason, isAlone: false):
            self.init(.overloaded, "\(reason): other queries take the memory of queries (sql.memory) now")
            retryAfterSeconds = 1
        case .parameters(let reason): self.init(.invalidArgument, reason)
        case .timeout(let milliseconds):
            self.init(
                .queryTimeout,
                "the query took longer than \(milliseconds) ms; ask for less, or give a larger timeout_ms up to sql.timeout",
                members: [.init("limit", .integer(milliseconds))])
        case .cancelled(let reason): self.init(.queryCancelled, "the query was cancelled: \(reason)")
        case .tooManyRows(let limit):
            self.init(
                .queryError,
                "the answer has more than \(limit) rows, the most that sql.max_rows allows; add a LIMIT",
                members: [.init("limit", .integer(Int64(limit)))])
        case .tooLarge(let limit):
            self.init(
                .queryError,
                "the answer is larger than \(limit) bytes, the most that sql.max_result_bytes allows",
                members: [.init("limit", .integer(Int64(limit)))])
        case .notVisible: self = .notReady("what `after` names is not visible yet")
        case .queueFull(let limit):
            self.init(.overloaded, "\(limit) queries wait already")
            retryAfterSeconds = 1
        case .stopping: self = .shuttingDown
        case .unreadable(let error): self.init(error)
        }
    }
    /// In bytes from 0, in the text that was sent.
    private static func members(_ position: Int?) -> [JSONValue.Member] {
        position.map { [.init("position", .integer(Int64($0)))] } ?? []
    }
}
