import Platform

/// What a reader has derived from a batch or a log and keeps beside it. It goes with the batch, or the log.
package final class Companion: Sendable {
    private let kept = Lock<(any AnyObject & Sendable)?>(nil)

    /// What is kept, made first if there is nothing yet.
    package func value<Value: AnyObject & Sendable>(_ make: () -> Value) -> Value {
        if let value = kept.withLock({ $0 }) as? Value { return value }
        let made = make()
        return kept.withLock { kept in
            if let value = kept as? Value { return value }
            kept = made
            return made
        }
    }
}
