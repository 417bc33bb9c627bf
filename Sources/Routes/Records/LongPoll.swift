import HTTP
import Platform
import StorageEngine

/// A read that waits for its first record: woken by appends, ended by its deadline.
final class LongPoll: Sendable {
    private struct State {
        var waiter: ReadWaiter?
        var isOver = false
        /// Holes may be passed while waiting.
        var next: Offset
    }
    private let log: Log
    private let partition: Int
    private let query: ReadQuery
    private let respond: @Sendable (ReadResult) -> Response
    private let state: Lock<State>

    init(
        _ log: Log, partition: Int, _ query: ReadQuery, from next: Offset,
        respond: @escaping @Sendable (ReadResult) -> Response
    ) {
        self.log = log
        self.partition = partition
        self.query = query
        self.respond = respond
        state = Lock(State(next: next))
    }

    func reply(to request: Request, _ services: Services) -> Reply {
        let reply = request.deferReply(deadlineMilliseconds: query.waitMilliseconds) { [self] _ in
            cancel()
            do {
                return respond(try read())
            } catch {
                return services.problems.response(for: error, request)
            }
        }
        wait(reply)
        return .later(reply)
    }

    private func wait(_ reply: DeferredReply) {
        while !state.withLock({ $0.isOver }) {
            let next = state.withLock { $0.next }
            // Weak: the reply keeps this wait until it is decided, and a waiter that has fired must not keep it longer.
            let waiter = log.waitForRecords(partition: partition, beyond: next) { [weak self] in
                guard let self else { return }
                if !answer(reply) { wait(reply) }
            }
            if let waiter {
                keep(waiter)
                return
            }
            if answer(reply) { return }
        }
    }

    /// - Returns: false when there was still nothing to read.
    private func answer(_ reply: DeferredReply) -> Bool {
        do {
            let result = try read()
            if result.records.isEmpty {
                state.withLock { $0.next = result.next }
                return false
            }
            reply.complete(respond(result))
        } catch {
            reply.fail(error)
        }
        return true
    }

    private func read() throws(EngineError) -> ReadResult {
        // What it waits for has just been written: none of it is in an archive.
        try query.read(
            log, partition: partition, from: .offset(state.withLock { $0.next }), archived: .refused)
    }

    /// The wake may have come, or the wait been cancelled, before the waiter was returned.
    private func keep(_ waiter: ReadWaiter) {
        let isOver = state.withLock { state -> Bool in
            state.waiter = waiter
            return state.isOver
        }
        if isOver { waiter.cancel() }
    }

    private func cancel() {
        let waiter = state.withLock { state -> ReadWaiter? in
            state.isOver = true
            return state.waiter
        }
        waiter?.cancel()
    }
}
