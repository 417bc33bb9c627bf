import Platform

/// Jobs that run, each on a thread of its own, and the last ones that have ended.
final class Jobs: Sendable {
    private struct State {
        var jobs: [Job] = []
        var threads: [(thread: Thread, isOver: AtomicFlag)] = []
        var isStopping = false
    }

    /// Each holds memory for what it reads or writes.
    private static let runningMax = 4
    private static let endedMax = 100

    private let state = Lock(State())

    /// - Throws: `busy`, `stopping`.
    func run(
        _ job: Job, _ clock: Clock, _ body: @escaping @Sendable (Job) throws(SnapshotFailure) -> Void,
        ended: @escaping @Sendable (Job) -> Void
    ) throws(SnapshotFailure) {
        try add(job)
        let isOver = AtomicFlag()
        let thread = Thread(name: job.kind.rawValue) {
            defer { isOver.value = true }
            Thread.runInBackground()
            var failure: SnapshotFailure?
            // However that shows where it was in the middle of something.
            do throws(SnapshotFailure) { try body(job) } catch {
                failure = job.isCancelled ? .cancelled(reason: job.cancellation) : error
            }
            job.finish(at: clock.now(), failure)
            ended(job)
        }
        state.withLock { $0.threads.append((thread, isOver)) }
    }

    private func add(_ job: Job) throws(SnapshotFailure) {
        let (refusal, ended) = state.withLock { state -> (SnapshotFailure?, [Thread]) in
            if state.isStopping { return (.stopping, []) }
            let ended = state.jobs.filter { !$0.isRunning }
            let threads = state.threads.filter(\.isOver.value).map(\.thread)
            state.threads.removeAll(where: \.isOver.value)
            for old in ended.dropLast(Self.endedMax) { state.jobs.removeAll { $0 === old } }
            if state.jobs.count - min(ended.count, Self.endedMax) >= Self.runningMax {
                return (
                    .busy(reason: "\(Self.runningMax) snapshots, restores and replays run already"), threads
                )
            }
            state.jobs.append(job)
            return (nil, threads)
        }
        for thread in ended { thread.join() }
        if let refusal { throw refusal }
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    func all(_ kind: Job.Kind) -> [Job] { state.withLock { $0.jobs.filter { $0.kind == kind } } }

    func job(_ kind: Job.Kind, named name: String) -> Job? {
        state.withLock { $0.jobs.last { $0.kind == kind && $0.name == name } }
    }

    /// It is not shown any more.
    func forget(_ kind: Job.Kind, named name: String) {
        state.withLock { $0.jobs.removeAll { $0.kind == kind && $0.name == name && !$0.isRunning } }
    }

    /// The job that has been running longest is told to end. - Returns: false when none runs.
    func cancelOldest(_ kind: Job.Kind, _ why: String) -> Bool {
        guard let job = all(kind).first(where: { $0.isRunning && !$0.isCancelled }) else { return false }
        job.cancel(why)
        return true
    }

    /// Ends all of them and waits for that.
    func stop() {
        let (jobs, threads) = state.withLock { state in
            state.isStopping = true
            defer { state.threads = [] }
            return (state.jobs, state.threads.map(\.thread))
        }
        for job in jobs { job.cancel("the server is stopping") }
        for thread in threads { thread.join() }
        // One that was begun at this very moment.
        while jobs.contains(where: \.isRunning) { WakeUp.pause(milliseconds: 1) }
    }
}
