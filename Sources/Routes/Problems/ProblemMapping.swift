import HTTP
import JSON
import Snapshots
import StorageEngine

/// The one mapping from any error to an answer.
package struct ProblemMapping: Sendable {
    /// Told of each error that nobody has foreseen, once, with the route it happened in.
    package let reportUnexpected: @Sendable (any Error, String) -> Void

    package init(reportUnexpected: @escaping @Sendable (any Error, String) -> Void) {
        self.reportUnexpected = reportUnexpected
    }

    package func response(for error: any Error, _ request: Request?) -> Response {
        problem(for: error, request).response
    }

    package func problem(for error: any Error, _ request: Request?) -> Problem {
        switch error {
        case let problem as Problem: return problem
        case let error as EngineError: return Problem(error)
        case let failure as SnapshotFailure: return Problem(failure)
        case let failure as HTTPFailure: return Problem(failure)
        case let failure as JSONFailure: return Problem(failure)
        case let failure as FieldFailure: return Problem(failure)
        case let failure as RecordFailure: return Problem(failure)
        default:
            reportUnexpected(error, request?.routePattern ?? "")
            return Problem(.internal, "an unforeseen error; the server's log has it").with { problem in
                problem.applied = request?.isRead == true ? .no : .unknown
            }
        }
    }
}

extension Request {
    var isRead: Bool {
        switch method {
        case .get, .head, .options: true
        case .put, .post, .patch, .delete: false
        }
    }
}
