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
        /// Under which name the rows are written; nil: they are not.
        var log: LogID?
        /// Its partition takes no more writes when the entry fails.
        var waitsForDisk = true
        /// Of keys and values, about.
        var bytes = 0
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
    /// What becomes durable with the rows.
    let effects: [CommitEffect]
    /// The same, but worked out when the entry is written.
    let lateEffect: (@Sendable () -> CommitEffect?)?
    private let state = Lock(State())

    init(
        parts: [Part] = [], effects: [CommitEffect] = [], lateEffect: (@Sendable () -> CommitEffect?)? = nil
    ) {
        self.parts = parts
        self.effects = effects
        self.lateEffect = lateEffect
    }

    /// Where rows of these partitions have to go, whose locks are held: nil when all may be committed at once.
    /// Of logs of unequal durability it is the strictest.
    static func commitLog(of parts: [Part]) -> (any CommitLog)? {
        let own = parts.compactMap { $0.partition.state.withLocked { $0.commitLog } }
            .max { $0.acknowledgement < $1.acknowledgement }
        if let own { return own }
        for part in parts {
            if let commitLog = part.partition.state.withLocked({ $0.sharedCommitLog }) { return commitLog }
        }
        return nil
    }

    /// What waits for the disk with it, about.
    var bytes: Int { parts.reduce(256 + 128 * effects.count) { $0 + $1.bytes } }

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
        for part in parts {
            if !part.waitsForDisk {
                part.partition.dropPending(self, part)
            } else {
                part.partition.failPending(self, part, reason: reason)
            }
        }
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

    /// Something of it is written to disk.
    var isDurable: Bool { lateEffect != nil || !effects.isEmpty || parts.contains { $0.log != nil } }

    var isCommitted: Bool {
        if case .committed = state.withLock({ $0.decision }) { true } else { false }
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
