import Platform

@testable import HTTP

/// Hands the waiting replies of a route to the test, in the order they came.
final class WaitingDesk: Sendable {
    private struct State {
        var replies: [DeferredReply] = []
        var cancellations: [DeferredReply.Cancellation] = []
        var completions = 0
        var count = 0
        var isClosed = false
    }

    private let state = Lock(State())
    private let wakeUp = WakeUp()
    private let onCancel: @Sendable (DeferredReply.Cancellation) -> Response?

    init(_ onCancel: @escaping @Sendable (DeferredReply.Cancellation) -> Response? = { _ in nil }) {
        self.onCancel = onCancel
    }

    func route(
        _ pattern: String, deadlineMilliseconds: Int64? = nil, finishesBeforeStop: Bool = false
    ) -> Route {
        Route(.get, pattern) { request in
            let reply = request.deferReply(
                deadlineMilliseconds: deadlineMilliseconds, finishesBeforeStop: finishesBeforeStop
            ) { cancellation in
                self.state.withLock { $0.cancellations.append(cancellation) }
                return self.onCancel(cancellation)
            }
            self.state.withLock { state in
                state.replies.append(reply)
                state.count += 1
            }
            self.wakeUp.signal()
            return .later(reply)
        }
    }

    /// The next reply that waits; waits for one.
    /// - Throws: when none comes.
    func next() throws -> DeferredReply {
        guard TestServer.eventually({ !isEmpty }), let reply = nextIfOpen() else { throw NothingWaits() }
        return reply
    }

    struct NothingWaits: Error {}
    private var isEmpty: Bool { state.withLock { $0.replies.isEmpty } }

    /// - Returns: nil once the desk is closed and empty.
    func nextIfOpen() -> DeferredReply? {
        while true {
            let generation = wakeUp.generation
            let (reply, isClosed) = state.withLock { state in
                (state.replies.isEmpty ? nil : state.replies.removeFirst(), state.isClosed)
            }
            if let reply { return reply }
            if isClosed { return nil }
            wakeUp.wait(since: generation)
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    func countCompletion() { state.withLock { $0.completions += 1 } }
    var cancellations: [DeferredReply.Cancellation] { state.withLock { $0.cancellations } }
    var completions: Int { state.withLock { $0.completions } }
    var count: Int { state.withLock { $0.count } }
}
