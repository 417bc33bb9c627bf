import DuckDBClient

/// Why a query has no answer, or no further one.
package enum SQLFailure: Error, Sendable, Equatable {
    /// There is no DuckDB: where it was looked for, and why not.
    case unavailable(String)
    /// The fence does not let it through.
    case refused(String)
    /// What DuckDB said, with the place in the text, in bytes from 0.
    case query(message: String, position: Int?)
    /// A parameter that is missing, or too many.
    case parameters(String)
    case timeout(milliseconds: Int64)
    case cancelled(String)
    case tooManyRows(limit: Int)
    case tooLarge(limitBytes: Int)
    /// What the client wants to see first did not come in time.
    case notVisible
    case queueFull(limit: Int)
    case stopping

    init(_ failure: DuckDBFailure) {
        switch failure {
        case .unavailable: self = .unavailable(failure.message)
        case .query(let error):
            let hint = error.isOutOfMemory ? " (the memory of queries is bounded by sql.memory)" : ""
            self = .query(message: error.message + hint, position: error.position)
        }
    }
}
