import CPlatform

/// A wake-up for one waiting thread, or several: a counter that only grows and a futex on it.
package final class WakeUp: @unchecked Sendable {
    // Sendable: the word is only touched through atomic operations.
    private let word: UnsafeMutablePointer<UInt32>

    package init() {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
    }

    deinit { word.deallocate() }

    /// The value to pass to `wait`: take it before looking at the condition that is waited for.
    package var generation: UInt32 { pyra_load(word) }

    /// Lets the thread sleep.
    package static func pause(milliseconds: Int) {
        let wakeUp = WakeUp()
        wakeUp.wait(since: wakeUp.generation, timeoutNanoseconds: Int64(milliseconds) * 1_000_000)
    }

    package func signal() {
        _ = pyra_add(word, 1)
        pyra_futex_wake(word, Int32.max)
    }

    /// Returns once `signal` was called after `generation` was read, or the time has passed, or spuriously.
    package func wait(since generation: UInt32, timeoutNanoseconds: Int64? = nil) {
        if let timeoutNanoseconds {
            pyra_futex_wait_for(word, generation, max(0, timeoutNanoseconds))
        } else {
            pyra_futex_wait(word, generation)
        }
    }
}

/// A value that one thread waits for and another one brings.
package final class Awaited<Value: Sendable>: Sendable {
    private let value = Lock<Value?>(nil)
    private let wakeUp = WakeUp()

    package init() {}

    package func fulfil(_ value: Value) {
        self.value.withLock { $0 = value }
        wakeUp.signal()
    }

    package func wait() -> Value {
        while true {
            let generation = wakeUp.generation
            if let value = value.withLock({ $0 }) { return value }
            wakeUp.wait(since: generation)
        }
    }
}
