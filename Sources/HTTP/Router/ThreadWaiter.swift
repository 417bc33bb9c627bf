import Platform
import Synchronization

/// Blocks a thread until a deferred reply is ready: for requests without a socket.
final class ThreadWaiter: DeferredReplyResumer {
    private let resumed = Atomic<Bool>(false)
    private let wakeUp = WakeUp()

    func resume() {
        resumed.store(true, ordering: .releasing)
        wakeUp.signal()
    }

    /// - Parameter untilNanoseconds: on the monotonic clock; nil waits for ever.
    /// - Returns: whether it was resumed in time.
    func wait(untilNanoseconds deadline: Int64?) -> Bool {
        while true {
            let generation = wakeUp.generation
            if resumed.load(ordering: .acquiring) { return true }
            guard let deadline else {
                wakeUp.wait(since: generation)
                continue
            }
            let left = deadline - Clock.monotonicNanoseconds()
            if left <= 0 { return false }
            wakeUp.wait(since: generation, timeoutNanoseconds: left)
        }
    }
}
