import HTTP
import Platform
import StorageEngine

extension Services {
    /// Answers with `respond` once everything that `after` names is visible; 503 `not_ready` after ten seconds, at once
    /// for `HEAD`, which never waits.
    ///
    /// - Parameters:
    ///   - isLong: runs `respond` on a worker thread, because it would hold up an event loop.
    ///   - respond: is called again on a worker thread, where it may wait, if it throws `archived`.
    func reply(
        to request: Request, after: AfterPositions, isLong: Bool = false,
        _ respond: @escaping @Sendable (ArchivedValues) throws -> Response
    ) throws -> Reply {
        if after.positions.allSatisfy(Visibility.isVisible) {
            return isLong
                ? try reply(onWorkersTo: request, respond) : try reply(to: request, respond)
        }
        let late = Problem.notReady("what `after` names is not visible yet")
        guard request.method != .head else { throw late }
        let wait = WaitHandle()
        let reply = request.deferReply(deadlineMilliseconds: RouteLimits.afterWaitMilliseconds) { _ in
            wait.cancel()
            return late.response
        }
        let complete: @Sendable () -> Void = { [self] in
            guard isLong else { return self.complete(reply, respond) }
            do { try workers.run { self.complete(reply, respond) } } catch { reply.fail(error) }
        }
        if let visibility = Visibility.wait(for: after, whenVisible: complete) {
            wait.set(visibility)
        } else {
            complete()
        }
        return .later(reply)
    }

    /// Answers at once, or from a worker thread when values have to come from an archive.
    func reply(
        to request: Request, _ respond: @escaping @Sendable (ArchivedValues) throws -> Response
    ) throws -> Reply {
        do {
            return .now(try respond(.refused))
        } catch EngineError.archived {
            return try reply(fetchingTo: request) { try respond(.fetched) }
        }
    }

    /// Answers from a thread that may wait for an archive.
    func reply(
        fetchingTo request: Request, _ respond: @escaping @Sendable () throws -> Response
    ) throws -> Reply {
        try reply(to: request, on: storeWorkers, respond)
    }

    /// Answers from a worker thread.
    func reply(
        onWorkerTo request: Request, _ respond: @escaping @Sendable () throws -> Response
    ) throws -> Reply {
        try reply(to: request, on: workers, respond)
    }

    /// Answers from a worker thread, or from one that may wait for an archive if values have to come from there.
    private func reply(
        onWorkersTo request: Request, _ respond: @escaping @Sendable (ArchivedValues) throws -> Response
    ) throws -> Reply {
        let reply = request.deferReply(finishesBeforeStop: true) { _ in nil }
        try workers.run { [self] in complete(reply, respond) }
        return .later(reply)
    }

    private func complete(
        _ reply: DeferredReply, _ respond: @escaping @Sendable (ArchivedValues) throws -> Response
    ) {
        do {
            do {
                reply.complete(try respond(.refused))
            } catch EngineError.archived {
                try storeWorkers.run { reply.complete { try respond(.fetched) } }
            }
        } catch {
            reply.fail(error)
        }
    }

    private func reply(
        to request: Request, on workers: Workers, _ respond: @escaping @Sendable () throws -> Response
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
