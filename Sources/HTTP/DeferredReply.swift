import Platform
import Synchronization

/// The one answer of a request that waits: fsync, long poll, a query. Decided exactly once between
/// completion, its deadline, the client's hang-up and the server's stop; whoever comes second is ignored.
package final class DeferredReply: @unchecked Sendable {
    // Sendable: `outcome` and `onCancel` are written by the one who set `decided`, before `ready`, and read after
    // `ready`; `resumer` is written before `suspended` and read by who set `ready` after seeing `suspended`.
    package enum Cancellation: Sendable { case hungUp, deadline, stopping }

    enum Outcome {
        case response(Response)
        case failure(any Error)
        /// The client is gone: nothing is sent.
        case dropped
    }

    private enum Bit {
        static let decided: UInt8 = 1
        static let ready: UInt8 = 2
        static let suspended: UInt8 = 4
    }

    private let state = Atomic<UInt8>(0)
    private var outcome: Outcome?
    private var onCancel: (@Sendable (Cancellation) -> Response?)?
    private var resumer: (any DeferredReplyResumer)?
    /// Its place in the queue of deadlines, under that queue's lock.
    var queuePlace: Int?
    /// On the monotonic clock.
    let deadlineNanoseconds: Int64?
    /// Whether a stop of the server gives it the grace of running requests instead of ending it at once.
    let finishesBeforeStop: Bool

    init(
        deadlineMilliseconds: Int64?, finishesBeforeStop: Bool,
        onCancel: @escaping @Sendable (Cancellation) -> Response?
    ) {
        self.onCancel = onCancel
        self.finishesBeforeStop = finishesBeforeStop
        deadlineNanoseconds = deadlineMilliseconds.map { milliseconds in
            let bounded = min(max(milliseconds, 0), Int64.max / 4_000_000)
            return Clock.monotonicNanoseconds() &+ bounded &* 1_000_000
        }
    }

    /// - Returns: false when it was already decided.
    @discardableResult
    package func complete(_ response: Response) -> Bool {
        guard decide() else {
            response.abandon()
            return false
        }
        onCancel = nil
        publish(.response(response))
        return true
    }

    /// Answers with the mapping of the error.
    @discardableResult
    package func fail(_ error: any Error) -> Bool {
        guard decide() else { return false }
        onCancel = nil
        publish(.failure(error))
        return true
    }

    /// Ends the wait from the server's side. Calls `onCancel` on this thread.
    @discardableResult
    func cancel(_ cancellation: Cancellation) -> Bool {
        guard decide() else { return false }
        let response = onCancel?(cancellation)
        onCancel = nil
        switch (cancellation, response) {
        case (.hungUp, let response):
            response?.abandon()
            publish(.dropped)
        case (_, let response?): publish(.response(response))
        case (.deadline, nil): publish(.failure(HTTPFailure.deadlinePassed))
        case (.stopping, nil): publish(.failure(HTTPFailure.shuttingDown))
        }
        return true
    }

    var isReady: Bool { state.load(ordering: .acquiring) & Bit.ready != 0 }

    /// Called once by the thread that waits, after everything is prepared for `resumer` to be called from any thread.
    /// The resumer is called exactly once, from here if the reply was ready already.
    func suspend(_ resumer: any DeferredReplyResumer) {
        self.resumer = resumer
        let before = state.bitwiseOr(Bit.suspended, ordering: .acquiringAndReleasing).oldValue
        if before & Bit.ready != 0 { resume() }
    }

    /// The outcome, for the waiting thread, once it is ready.
    func take() -> Outcome? {
        guard isReady else { return nil }
        defer { outcome = nil }
        return outcome
    }

    private func decide() -> Bool {
        state.bitwiseOr(Bit.decided, ordering: .acquiringAndReleasing).oldValue & Bit.decided == 0
    }

    private func publish(_ result: Outcome) {
        outcome = result
        let before = state.bitwiseOr(Bit.ready, ordering: .acquiringAndReleasing).oldValue
        if before & Bit.suspended != 0 { resume() }
    }

    private func resume() {
        let resumer = resumer
        self.resumer = nil
        resumer?.resume()
    }
}

/// Whoever waits for a deferred reply: a suspended connection, or a thread in process.
protocol DeferredReplyResumer: AnyObject, Sendable {
    func resume()
}

extension Request {
    /// Makes the reply of this request one that comes later.
    ///
    /// - Parameters:
    ///   - deadlineMilliseconds: from now; when it passes first, `onCancel(.deadline)` is asked for the response.
    ///   - finishesBeforeStop: true for waits that end soon by themselves (a commit): a stopping server then waits for
    ///     them within its grace. Others (a long poll) are cancelled when the stop begins.
    ///   - onCancel: called once, on a thread of the server's, when the wait ends without `complete`; it frees what
    ///     waits in the engine. Its response is sent for `.deadline` and `.stopping` (nil: 503) and dropped for `.hungUp`.
    package func deferReply(
        deadlineMilliseconds: Int64? = nil, finishesBeforeStop: Bool = false,
        onCancel: @escaping @Sendable (DeferredReply.Cancellation) -> Response?
    ) -> DeferredReply {
        keepFields()
        return DeferredReply(
            deadlineMilliseconds: deadlineMilliseconds, finishesBeforeStop: finishesBeforeStop,
            onCancel: onCancel)
    }
}
