import Platform

/// A bounded number of threads that run queries, and a bounded queue before them.
final class QueryWorkers: Sendable {
    private struct Worker {
        let thread: Thread
        /// It has been given a query, or is to stop.
        let wakeUp: WakeUp
        var given: Query?
    }

    private struct State {
        /// What no worker was free for.
        var queue: [Query] = []
        var workers: [Worker] = []
        /// The one that was last in use is the last one: its memory is still near.
        var idle: [Int] = []
        var isStopping = false
    }

    private let state = Lock(State())
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
            if let number = state.idle.popLast() {
                state.workers[number].given = query
                state.workers[number].wakeUp.signal()
            } else if state.workers.count < threadsMax {
                state.workers.append(start(number: state.workers.count, query))
            } else if state.queue.count < queuedMax {
                state.queue.append(query)
            } else {
                return .queueFull(limit: queuedMax)
            }
            return nil
        }
        if let failure { throw failure }
    }

    private func start(number: Int, _ query: Query) -> Worker {
        let wakeUp = WakeUp()
        // The parser and the binder recurse over what a client wrote.
        let thread = Thread(name: "sql-\(number)", stackBytes: 64 << 20) { [self] in work(number, wakeUp) }
        return Worker(thread: thread, wakeUp: wakeUp, given: query)
    }

    /// Ends the threads once what was given and what waits has been run: cancel it before.
    func stop() {
        let workers = state.withLock { state in
            state.isStopping = true
            return state.workers
        }
        for worker in workers { worker.wakeUp.signal() }
        for worker in workers { worker.thread.join() }
    }

    private func work(_ number: Int, _ wakeUp: WakeUp) {
        var isIdle = false
        while true {
            let generation = wakeUp.generation
            let (query, isStopping) = state.withLock { state -> (Query?, Bool) in
                if let given = state.workers[number].given {
                    state.workers[number].given = nil
                    return (given, false)
                }
                if !state.queue.isEmpty { return (state.queue.removeFirst(), false) }
                if !isIdle { state.idle.append(number) }
                isIdle = true
                return (nil, state.isStopping)
            }
            if let query {
                isIdle = false
                run(query)
            } else if isStopping {
                return
            } else {
                wakeUp.wait(since: generation)
            }
        }
    }
}
