import HTTP
import Platform

extension Services {
    /// Answers with `respond` once everything that `after` names is visible; 503 `not_ready` after ten seconds, at once
    /// for `HEAD`, which never waits.
    ///
    /// - Parameter isLong: runs `respond` on a worker thread, because it would hold up an event loop.
    func reply(
        to request: Request, after: AfterPositions, isLong: Bool = false,
        _ respond: @escaping @Sendable () throws -> Response
    ) throws -> Reply {
        if after.positions.allSatisfy(Visibility.isVisible) {
            return isLong ? try reply(onWorkerTo: request, respond) : .now(try respond())
        }
        let late = Problem.notReady("what `after` names is not visible yet")
        guard request.method != .head else { throw late }
        let wait = WaitHandle()
        let reply = request.deferReply(deadlineMilliseconds: RouteLimits.afterWaitMilliseconds) { _ in
            wait.cancel()
            return late.response
        }
        let complete: @Sendable () -> Void = { [workers] in
            do {
                if isLong {
                    try workers.run { reply.complete(respond) }
                } else {
                    reply.complete(respond)
                }
            } catch {
                reply.fail(error)
            }
        }
        if let visibility = Visibility.wait(for: after, whenVisible: complete) {
            wait.set(visibility)
        } else {
            complete()
        }
        return .later(reply)
    }

    /// Answers from a worker thread.
    func reply(
        onWorkerTo request: Request, _ respond: @escaping @Sendable () throws -> Response
    ) throws -> Reply {
        let reply = request.deferReply(finishesBeforeStop: true) { _ in nil }
        try workers.run { reply.complete(respond) }
        return .later(reply)
    }
}

extension DeferredReply {
    func complete(_ respond: () throws -> Response) {
        do { complete(try respond()) } catch { fail(error) }
    }
}
