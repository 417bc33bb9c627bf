import Platform

/// Does something again and again on a thread of its own, at fixed intervals; what takes longer lets one pass.
final class Schedule: Sendable {
    private struct State {
        var isStopping = false
        var thread: Thread?
    }
    private let state = Lock(State())
    private let wakeUp = WakeUp()

    func start(everyMilliseconds interval: Int64, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(name: "schedule") { [self] in run(interval, body) }
        state.withLock { $0.thread = thread }
    }

    private func run(_ interval: Int64, _ body: () -> Void) {
        let step = interval * 1_000_000
        var due = Clock.monotonicNanoseconds() + step
        while true {
            let generation = wakeUp.generation
            if state.withLock({ $0.isStopping }) { return }
            let now = Clock.monotonicNanoseconds()
            if now < due {
                wakeUp.wait(since: generation, timeoutNanoseconds: due - now)
                continue
            }
            body()
            due += max(1, (Clock.monotonicNanoseconds() - due) / step + 1) * step
        }
    }

    /// Waits for what runs: tell it to end before.
    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        wakeUp.signal()
        thread?.join()
    }
}
