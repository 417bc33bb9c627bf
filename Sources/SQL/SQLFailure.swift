import DuckDBClient
import StorageEngine

/// Why a query has no answer, or no further one.
package enum SQLFailure: Error, Sendable, Equatable {
    /// There is no DuckDB: where it was looked for, and why not.
    case unavailable(String)
    /// The fence does not let it through.
    case refused(String)
    /// With the place of the name in the text, in bytes from 0.
    case unknownLog(String, position: Int?)
    /// What DuckDB said, with the place in the text, in bytes from 0.
    case query(message: String, position: Int?)
    /// The memory of queries is used up: by this one, or by others beside it.
    case outOfMemory(String, isAlone: Bool)
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
    /// What the archive does not give.
    case unreadable(EngineError)

    init(_ failure: DuckDBFailure) {
        switch failure {
        case .unavailable: self = .unavailable(failure.message)
        case .query(let error):
            // What DuckDB advises behind its first line are settings, which are closed here.
            self =
                error.isOutOfMemory
                ? .outOfMemory(String(error.message.prefix { $0 != "\n" }), isAlone: true)
                : .query(message: error.message, position: error.position)
        }
    }

    /// The place in another text.
    func moved(_ move: (Int) -> Int) -> SQLFailure {
        switch self {
        case .query(let message, let position): .query(message: message, position: position.map(move))
        case .unknownLog(let name, let position): .unknownLog(name, position: position.map(move))
        default: self
        }
    }
}

extension SQLFailure: CustomStringConvertible {
    /// As DuckDB passes it on where a table function has thrown it.
    package var description: String {
        switch self {
        case .unavailable(let reason), .refused(let reason), .parameters(let reason), .cancelled(let reason),
            .query(let reason, _), .outOfMemory(let reason, _):
            reason
        case .unknownLog(let name, _): "there is no log \(name)"
        case .timeout(let milliseconds): "it took longer than \(milliseconds) ms"
        case .tooManyRows(let limit): "it has more than \(limit) rows"
        case .tooLarge(let limit): "it has more than \(limit) bytes"
        case .notVisible, .queueFull, .stopping: "the server cannot answer now"
        case .unreadable(let error): "\(error)"
        }
    }
}
