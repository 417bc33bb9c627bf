/// What must hold of a key's current record for a write to happen; decided under the partition's lock.
package enum Condition: Sendable, Equatable {
    case none
    /// `If-Match` with one of these; other epochs never match.
    case matchesAny([Revision])
    /// `If-Match: *`.
    case exists
    /// `If-None-Match: *`.
    case isAbsent
    /// `If-None-Match` with these.
    case matchesNone([Revision])
}

package enum Expiry: Sendable, Equatable {
    case logDefault
    case at(milliseconds: Int64)
    /// The deadline that the key has now, if it exists.
    case keep
    case never
}

package struct PutOptions: Sendable {
    package var type = RecordType.json
    package var extras: [UInt8] = []
    package var expiry = Expiry.logDefault
    package var priority: UInt8 = 0
    package var condition = Condition.none
    package var acknowledgement: Acknowledgement?
    package init() {}

    /// The key's current record decides about the write, or what becomes of it.
    var dependsOnCurrent: Bool {
        if case .none = condition, expiry != .keep { false } else { true }
    }
}

package struct PutResult: Sendable, Equatable {
    package let revision: Revision
    /// False when it replaced a live key.
    package let isNew: Bool
    package let requested: Acknowledgement
    package let achieved: Acknowledgement
    /// Unix milliseconds; `Deadline.never` without one.
    package let deadline: Int64
}

package struct IncrementOptions: Sendable {
    package var by: Int64 = 1
    package var ttlMilliseconds: Int64?
    /// Sets the deadline anew on an existing key as well.
    package var refreshesExpiry = false
    package var condition = Condition.none
    package var acknowledgement: Acknowledgement?
    /// What becomes durable together with the sum.
    package var receipt: (@Sendable (IncrementResult) -> ReceiptRecord?)?
    package init() {}
}

package struct IncrementResult: Sendable, Equatable {
    package let value: Int64
    package let put: PutResult
}
