import Platform

/// What a reader has derived from a batch or a log and keeps beside it. It goes with the batch, or the log.
package final class Companion: Sendable {
    private let kept = Lock<(any AnyObject & Sendable)?>(nil)

    /// Takes over from a batch with the same rows what does not point into its values.
    func inherit(from other: Companion) {
        guard let theirs = other.kept.withLock({ $0 }) as? any OutlivesValues else { return }
        let own = theirs.withoutValues
        kept.withLock { if $0 == nil { $0 = own } }
    }

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

/// What is kept beside a batch and of use without it.
package protocol OutlivesValues {
    /// A copy that points into no memory of the batch.
    var withoutValues: any AnyObject & Sendable { get }
}
