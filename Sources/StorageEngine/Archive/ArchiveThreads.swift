import Platform

/// A few threads that wait for the archive in the place of writers, with a bounded queue before them.
final class ArchiveThreads: Sendable {
    typealias Job = @Sendable () -> Void

    private struct State {
        var queue: [Job] = []
        var isStopping = false
        var threads: [Thread] = []
    }

    private static let threadsMax = 4
    private static let queuedMax = 256
    private let state = Lock(State())
    private let wakeUp = WakeUp()

    /// - Returns: false when too many wait already, or no more is done.
    func run(_ job: @escaping Job) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopping, state.queue.count < Self.queuedMax else { return false }
            state.queue.append(job)
            if state.threads.count < Self.threadsMax {
                state.threads.append(Thread(name: "archive-read") { [self] in work() })
            }
            return true
        }
        if isTaken { wakeUp.signal() }
        return isTaken
    }

    /// Finishes what waits.
    func stop() {
        let threads = state.withLock { state in
            state.isStopping = true
            defer { state.threads = [] }
            return state.threads
        }
        wakeUp.signal()
        for thread in threads { thread.join() }
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
