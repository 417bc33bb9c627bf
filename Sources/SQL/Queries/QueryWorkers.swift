import Platform

/// A bounded number of threads that run queries, and a bounded queue before them.
final class QueryWorkers: Sendable {
    private struct State {
        var queue: [Query] = []
        var idle = 0
        var isStopping = false
        var threads: [Thread] = []
    }

    private let state = Lock(State())
    private let wakeUp = WakeUp()
    private let threadsMax: Int
    private let queuedMax: Int
    private let run: @Sendable (Query) -> Void

    init(threadsMax: Int, queuedMax: Int, run: @escaping @Sendable (Query) -> Void) {
        self.threadsMax = threadsMax
        self.queuedMax = queuedMax
        self.run = run
    }

    var queuedCount: Int { state.withLock { $0.queue.count } }

    /// Threads start as they are needed, and stay.
    func add(_ query: Query) throws(SQLFailure) {
        let failure = state.withLock { state -> SQLFailure? in
            if state.isStopping { return .stopping }
            guard state.queue.count < queuedMax + state.idle + threadsMax - state.threads.count else {
                return .queueFull(limit: queuedMax)
            }
            state.queue.append(query)
            if state.queue.count > state.idle, state.threads.count < threadsMax {
                state.idle += 1
                // The parser and the binder recurse over what a client wrote.
                state.threads.append(
                    Thread(name: "sql-\(state.threads.count)", stackBytes: 64 << 20) { [self] in work() })
            }
            return nil
        }
        if let failure { throw failure }
        wakeUp.signal()
    }

    /// Ends the threads once what runs has ended: cancel it before.
    func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            return state.threads
        }
        wakeUp.signal()
        for thread in threads { thread.join() }
    }

    private func work() {
        while true {
            let generation = wakeUp.generation
            let (query, isStopping) = state.withLock { state -> (Query?, Bool) in
                guard !state.queue.isEmpty else { return (nil, state.isStopping) }
                state.idle -= 1
                return (state.queue.removeFirst(), false)
            }
            if let query {
                run(query)
                state.withLock { $0.idle += 1 }
            } else if isStopping {
                return
            } else {
                wakeUp.wait(since: generation)
            }
        }
    }
}
