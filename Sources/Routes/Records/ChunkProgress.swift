import HTTP
import Platform
import StorageEngine

/// What became of the chunks of one body, in order, whether their commits are decided at once or later.
final class ChunkProgress: Sendable {
    private struct State {
        var summary = AppendSummary()
        var failure: (any Error)?
        /// Chunks whose commit is not decided.
        var undecided = 0
        /// Called once, when the body is complete and everything is decided.
        var whenDecided: (@Sendable () -> Void)?
    }
    private let state = Lock(State())

    var isEmpty: Bool { state.withLock { $0.summary.count == 0 && $0.undecided == 0 && $0.failure == nil } }
    var ranges: [AppendSummary.Range] { state.withLock { $0.summary.ranges } }

    func add(_ outcome: Outcome<AppendResult>) {
        switch outcome {
        case .done(let result): state.withLock { $0.summary.add(result) }
        case .pending(let ticket):
            state.withLock { $0.undecided += 1 }
            ticket.whenComplete { [self] result in decide(result) }
        }
    }

    func reply(to request: Request, failure: (any Error)?, _ services: Services) -> Reply {
        let isDecided = state.withLock { state -> Bool in
            if let failure, state.failure == nil { state.failure = failure }
            return state.undecided == 0
        }
        if isDecided { return .now(response(request, services)) }
        return WriteReply.later { [self] decided in
            whenAllDecided { decided(.success(self.response(request, services))) }
        }.reply(to: request)
    }

    private func whenAllDecided(_ completion: @escaping @Sendable () -> Void) {
        let isDecided = state.withLock { state -> Bool in
            if state.undecided > 0 { state.whenDecided = completion }
            return state.undecided == 0
        }
        if isDecided { completion() }
    }

    private func decide(_ result: Result<AppendResult, EngineError>) {
        let completion = state.withLock { state -> (@Sendable () -> Void)? in
            state.undecided -= 1
            switch result {
            case .success(let result): state.summary.add(result)
            case .failure(let error): if state.failure == nil { state.failure = error }
            }
            guard state.undecided == 0 else { return nil }
            defer { state.whenDecided = nil }
            return state.whenDecided
        }
        completion?()
    }

    private func response(_ request: Request, _ services: Services) -> Response {
        let (failure, summary) = state.withLock { ($0.failure, $0.summary) }
        if let failure {
            return services.problems.problem(for: failure, request).partially(summary.ranges).response
        }
        return .appended(summary)
    }
}
