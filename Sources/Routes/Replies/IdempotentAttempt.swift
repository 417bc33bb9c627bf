import HTTP
import Platform
import StorageEngine

/// One request with an idempotency key: begins, waits for its twin if there is one, and begins again.
///
/// The twin may be done before this request has made its reply a deferred one, hence the state.
final class IdempotentAttempt: Sendable {
    typealias Work = @Sendable (IdempotencyReceipts.Claim?) throws -> WriteReply

    private enum State {
        case beginning
        case waiting(DeferredReply)
        case twinDecided
        case over
    }

    private let services: Services
    private let request: Request
    private let scope: [UInt8]
    private let bodyDigest: [UInt8]
    private let work: Work
    private let state = Lock(State.beginning)

    init(
        services: Services, request: Request, scope: [UInt8], bodyDigest: [UInt8],
        work: @escaping Work
    ) {
        self.services = services
        self.request = request
        self.scope = scope
        self.bodyDigest = bodyDigest
        self.work = work
    }

    func start(waitMilliseconds: Int64) -> Reply {
        switch begin() {
        case .decided(let answer): return answer.reply(to: request)
        case .running:
            let reply = request.deferReply(deadlineMilliseconds: waitMilliseconds) { [self] _ in
                state.withLock { $0 = .over }
                return Problem.overloaded("a request with the same Idempotency-Key is still running").response
            }
            let twinDecided = state.withLock { state -> Bool in
                if case .twinDecided = state { return true }
                if case .beginning = state { state = .waiting(reply) }
                return false
            }
            if twinDecided { goOn(reply) }
            return .later(reply)
        }
    }

    private enum Begun {
        case decided(WriteReply)
        case running
    }

    private func begin() -> Begun {
        let beginning = services.engine.receipts.begin(scope: scope, bodyDigest: bodyDigest) { [self] in
            whenTwinDecided()
        }
        switch beginning {
        case .first(let claim): return .decided(run(claim))
        case .replay(let answer): return .decided(.now(Response(replaying: answer)))
        case .running: return .running
        case .mismatch:
            let problem = Problem(
                .idempotencyMismatch,
                "this Idempotency-Key was used with another body or query; use a new one")
            return .decided(.now(problem.response))
        case .full:
            return .decided(.now(Problem.overloaded("no memory is left for idempotency receipts").response))
        }
    }

    private func whenTwinDecided() {
        let reply = state.withLock { state -> DeferredReply? in
            switch state {
            case .beginning:
                state = .twinDecided
                return nil
            case .waiting(let reply): return reply
            case .twinDecided, .over: return nil
            }
        }
        if let reply { goOn(reply) }
    }

    /// The twin is decided: its receipt is replayed, or, if it failed, this request does the work.
    private func goOn(_ reply: DeferredReply) {
        let isOver = state.withLock { state -> Bool in
            if case .over = state { return true }
            state = .waiting(reply)
            return false
        }
        guard !isOver else { return }
        switch begin() {
        case .decided(.now(let response)): reply.complete(response)
        case .decided(.later(let whenDecided)):
            whenDecided { result in
                switch result {
                case .success(let response): reply.complete(response)
                case .failure(let error): reply.fail(error)
                }
            }
        case .running: break
        }
    }

    /// Does the work and settles the claim on every path.
    private func run(_ claim: IdempotencyReceipts.Claim) -> WriteReply {
        let written: WriteReply
        do {
            written = try work(claim)
        } catch {
            return .now(settle(claim, .failure(error)))
        }
        switch written {
        case .now(let response): return .now(settle(claim, .success(response)))
        case .later(let whenDecided):
            return .later { decided in
                whenDecided { [self] result in decided(.success(settle(claim, result))) }
            }
        }
    }

    /// Keeps what a retry would get again; forgets what a retry may change.
    private func settle(_ claim: IdempotencyReceipts.Claim, _ result: Result<Response, any Error>) -> Response
    {
        switch result {
        case .success(let response):
            if let answer = response.receipt { claim.finish(answer) } else { claim.abandon() }
            return response
        case .failure(let error):
            let problem = services.problems.problem(for: error, request)
            let response = problem.response
            if !problem.isRetryable, problem.applied == .no, let answer = response.receipt {
                claim.finish(answer)
            } else {
                claim.abandon()
            }
            return response
        }
    }
}
