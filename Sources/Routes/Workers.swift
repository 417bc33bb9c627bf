import Platform

/// A few threads for work that would hold up an event loop, with a bounded queue before them.
package final class Workers: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var queue: [Job] = []
        var isStopping = false
        var hasStarted = false
        var threads: [Thread] = []
    }
    private let state = Lock(State())
    private let wakeUp = WakeUp()
    private let queuedMax: Int
    private let threadCount: Int

    /// The threads start with the first job.
    package init(threads: Int = 2, queuedMax: Int = 256) {
        threadCount = threads
        self.queuedMax = queuedMax
    }

    /// - Throws: `overloaded` when the queue is full, `shutting_down`.
    package func run(_ job: @escaping Job) throws {
        let refusal = state.withLock { state -> Problem? in
            if state.isStopping { return .shuttingDown }
            guard state.queue.count < queuedMax else {
                return .overloaded("\(queuedMax) long requests wait already")
            }
            state.queue.append(job)
            return nil
        }
        if let refusal { throw refusal }
        startThreads()
        wakeUp.signal()
    }

    /// Finishes what is queued, then ends the threads.
    package func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            return state.threads
        }
        wakeUp.signal()
        for thread in threads { thread.join() }
    }

    private func startThreads() {
        let isFirst = state.withLock { state -> Bool in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
        guard isFirst else { return }
        let threads = (0..<threadCount).map { _ in Thread(name: "worker") { [self] in work() } }
        state.withLock { $0.threads = threads }
    }

    private func work() {
        while true {
            let generation = wakeUp.generation
            let (job, isStopping) = state.withLock { state -> (Job?, Bool) in
                (state.queue.isEmpty ? nil : state.queue.removeFirst(), state.isStopping)
            }
            if let job {
                job()
            } else if isStopping {
                return
            } else {
                wakeUp.wait(since: generation)
            }
        }
    }
}
