import Platform

/// Rows that have their offsets but are not visible yet: what a commit log makes durable as one.
///
/// Carries effects, never conditions: the rows lie in the batches, fully resolved, with absolute deadlines.
package final class CommitEntry: Sendable {
    /// Rows of one partition.
    struct Part: Sendable {
        let partition: Partition
        let start: Int64
        let end: Int64
    }

    package enum Decision: Sendable {
        /// `replaced`: how many live keys the entry's rows superseded.
        case committed(replaced: Int)
        case failed(reason: String)
    }

    private struct State {
        var decision: Decision?
        var observers: [@Sendable (Decision) -> Void] = []
    }

    /// In lock order.
    let parts: [Part]
    private let state = Lock(State())

    init(parts: [Part]) {
        self.parts = parts
    }

    /// Applies the rows to indexes and bitmaps and makes them visible, under all locks of the entry, then resumes who waits.
    package func commit() {
        for part in parts { part.partition.state.lock() }
        var replaced = 0
        for part in parts { replaced += part.partition.applyPending(self, part) }
        for part in parts.reversed() { part.partition.state.unlock() }
        for part in parts { part.partition.afterCommit() }
        decide(.committed(replaced: replaced))
    }

    /// The rows stay invisible for ever; the partitions take no more writes.
    package func fail(_ reason: String) {
        for part in parts { part.partition.failPending(self, reason: reason) }
        decide(.failed(reason: reason))
    }

    /// Calls `observer` when it is decided, at once if it was; outside all locks.
    func whenDecided(_ observer: @escaping @Sendable (Decision) -> Void) {
        let decision = state.withLock { state -> Decision? in
            if state.decision == nil { state.observers.append(observer) }
            return state.decision
        }
        if let decision { observer(decision) }
    }

    private func decide(_ decision: Decision) {
        let observers = state.withLock { state in
            state.decision = decision
            defer { state.observers = [] }
            return state.observers
        }
        for observer in observers { observer(decision) }
    }
}
