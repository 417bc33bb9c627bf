import HTTP
import StorageEngine

/// The answer of a write: known at once (memory mode), or when its commit-log entry is.
///
/// Between the engine's `Outcome` and HTTP's `Reply`, so that an idempotency receipt can be kept on either way.
enum WriteReply: Sendable {
    typealias Decided = @Sendable (Result<Response, any Error>) -> Void

    case now(Response)
    /// Calls its argument exactly once, from any thread.
    case later(@Sendable (@escaping Decided) -> Void)
}

extension Outcome {
    /// - Parameter failure: what a late failure is called, where that depends on the request.
    func writeReply(
        failure: @escaping @Sendable (EngineError) -> EngineError = { $0 },
        _ response: @escaping @Sendable (Value) throws -> Response
    ) throws -> WriteReply {
        switch self {
        case .done(let value): .now(try response(value))
        case .pending(let ticket):
            .later { decided in
                ticket.whenComplete { result in
                    decided(Result { try response(result.mapError(failure).get()) })
                }
            }
        }
    }

    /// The reply of a write that needs no receipt.
    func reply(
        to request: Request, failure: @escaping @Sendable (EngineError) -> EngineError = { $0 },
        _ response: @escaping @Sendable (Value) throws -> Response
    ) throws -> Reply {
        switch self {
        case .done(let value): .now(try response(value))
        case .pending: try writeReply(failure: failure, response).reply(to: request)
        }
    }
}

extension WriteReply {
    func reply(to request: Request) -> Reply {
        switch self {
        case .now(let response): return .now(response)
        case .later(let whenDecided):
            // The write goes on whatever becomes of the connection, so there is nothing to cancel.
            let reply = request.deferReply(finishesBeforeStop: true) { _ in
                Problem.outcomeUnknownAtStop.response
            }
            whenDecided { result in
                switch result {
                case .success(let response): reply.complete(response)
                case .failure(let error): reply.fail(error)
                }
            }
            return .later(reply)
        }
    }
}

extension Problem {
    static let outcomeUnknownAtStop = Problem(
        .shuttingDown, "the server stopped before the write was acknowledged"
    ).with { $0.applied = .unknown }
}
