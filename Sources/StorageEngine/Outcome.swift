import Platform

/// What became of a write: decided at once (memory mode), or when its commit-log entry is.
package enum Outcome<Value: Sendable>: Sendable {
    case done(Value)
    case pending(Ticket<Value>)
}

extension Outcome {
    /// Waits for the commit log, on a thread that may.
    @discardableResult
    package func wait() throws(EngineError) -> Value {
        switch self {
        case .done(let value): return value
        case .pending(let ticket):
            let result = Awaited<Result<Value, EngineError>>()
            ticket.whenComplete { result.fulfil($0) }
            return try result.wait().get()
        }
    }
}

extension Outcome<Void> {
    /// Done at once without an entry.
    static func decided(by entry: CommitEntry?) -> Outcome<Void> {
        guard let entry else { return .done(()) }
        let ticket = Ticket<Void>()
        entry.whenDecided { decision in
            switch decision {
            case .committed: ticket.complete(.success(()))
            case .failed(let reason): ticket.complete(.failure(.outcomeUnknown(reason: reason)))
            }
        }
        return .pending(ticket)
    }
}

/// The result of a write that waits for its commit log. Completed exactly once, from any thread, outside all engine locks.
package final class Ticket<Value: Sendable>: Sendable {
    package typealias Completion = @Sendable (Result<Value, EngineError>) -> Void

    private struct State {
        var result: Result<Value, EngineError>?
        var completion: Completion?
    }
    private let state = Lock(State())

    init() {}

    /// Calls `completion` once: at once when the result is there, else from the thread that commits. One completion a ticket.
    package func whenComplete(_ completion: @escaping Completion) {
        let result = state.withLock { state -> Result<Value, EngineError>? in
            if state.result == nil { state.completion = completion }
            return state.result
        }
        if let result { completion(result) }
    }

    func complete(_ result: Result<Value, EngineError>) {
        let completion = state.withLock { state -> Completion? in
            guard state.result == nil else { return nil }
            state.result = result
            defer { state.completion = nil }
            return state.completion
        }
        completion?(result)
    }
}
