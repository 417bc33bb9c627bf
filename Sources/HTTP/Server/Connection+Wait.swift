import CMicroHTTPD
import Platform
import Synchronization

extension Connection: DeferredReplyResumer {
    /// Suspends the connection until the reply is decided; if it is already, answers at once.
    func wait(for reply: DeferredReply) -> MHD_Result {
        if let outcome = reply.take() { return deliver(outcome) }
        step = .waiting
        deferred = reply
        suspend(for: reply)
        context.watch.schedule(reply)
        // From here on any thread may call `resume`.
        reply.suspend(self)
        return .YES
    }

    func resume() { MHD_resume_connection(handle) }

    /// The first call after `resume`, on the connection's thread.
    func resumed() -> MHD_Result {
        guard let outcome = endWait() else { return .NO }
        return deliver(outcome)
    }

    /// Lets the answer go that nobody is there to hear.
    func abandonWait() {
        if case .response(let response) = endWait() { response.abandon() }
    }

    private func endWait() -> DeferredReply.Outcome? {
        guard let reply = deferred else { return nil }
        deferred = nil
        context.watch.unschedule(reply)
        unsuspend(nowNanoseconds: Clock.monotonicNanoseconds(), .handling)
        return reply.take()
    }

    private func deliver(_ outcome: DeferredReply.Outcome) -> MHD_Result {
        switch outcome {
        case .response(let response): return send(response)
        case .failure(let error): return sendFailure(error)
        case .dropped:
            step = .over
            return .NO
        }
    }

    /// Takes the connection out of the event loop. What it waits for may be ended by a hang-up or a stop from now on.
    func suspend(for waiting: any Waiting) {
        context.metrics.gauges.suspended.wrappingAdd(1, ordering: .relaxed)
        shared.withLock { $0.waiting = waiting }
        enter(.waiting, nowNanoseconds: context.watch.tick)
        MHD_suspend_connection(handle)
        // A stop that began before `waiting` was there did not see it.
        if context.isStopping.load(ordering: .sequentiallyConsistent) { waiting.stop(isFinal: false) }
    }

    func unsuspend(nowNanoseconds now: Int64, _ phase: Phase) {
        shared.withLock { shared in
            shared.waiting = nil
            if shared.isWatched { context.watch.removeHangUp(socket: shared.socket) }
            shared.isWatched = false
        }
        enter(phase, nowNanoseconds: now)
        context.metrics.gauges.suspended.wrappingSubtract(1, ordering: .relaxed)
    }
}
