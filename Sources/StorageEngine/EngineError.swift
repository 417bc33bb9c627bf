/// Everything the engine refuses or cannot do. Nothing was applied unless the case says otherwise.
package enum EngineError: Error, Equatable, Sendable {
    case logNotFound(log: String)
    /// Exists with another configuration; `differences` are dotted field names.
    case logExists(log: String, differences: [String])
    case invalidConfiguration(field: String, reason: String)
    /// A documented feature that this build does not have yet.
    case notImplemented(feature: String)
    case keyNotFound
    case partitionOutOfRange(partition: Int, partitions: Int)
    /// Beyond the tail (the next offset to be given).
    case offsetOutOfRange(tail: Offset)
    /// Below the first kept record.
    case offsetTrimmed(first: Offset)
    case preconditionFailed(current: Revision?)
    case offsetMismatch(tail: Offset)
    case epochChanged(current: Epoch)
    case integerOverflow
    case notAnInteger
    case recordTooLarge(limit: Int, size: Int)
    case acknowledgementUnavailable(requested: Acknowledgement, available: Acknowledgement)
    case producerFenced(currentEpoch: Int64)
    case producerGap(expectedSequence: Int64)
    /// A budget of memory has no room for `needed` bytes more; `budget` names it: `server` or the log.
    case memoryFull(budget: String, limit: Int, used: Int, needed: Int)
    /// Readers and requests in flight hold the memory that a write needs: it comes back by itself.
    case memoryHeld(bytes: Int, limit: Int)
    /// The commit log failed earlier; reads go on at the committed state.
    case logReadOnly(log: String, reason: String)
    /// The commit log failed under this write: whether it survives is unknown.
    case outcomeUnknown(reason: String)
    case logDeleted
    /// No room on the disk for what has to be durable. Deletes and trims are still taken.
    case diskFull
    /// The log's mode is being changed already.
    case transitionRunning(log: String)
    /// Too much waits for the disk already: try again later.
    case commitLogBehind
    /// An operation of a transaction cannot be done; `index` counts within its branch. Nothing was applied.
    indirect case transactionFailed(index: Int, cause: EngineError)
    case shuttingDown
    /// A value is in the archive, and the caller asked not to wait for it: ask again on a thread that may.
    case archived
    /// The object store does not give, now, what lies there of the log.
    case archiveUnavailable(log: String, reason: String)
    /// What the object store gives, or lacks, is not what was put there.
    case archiveDamaged(log: String, object: String, reason: String)
}

extension EngineError {
    /// It says how the server is, not what was asked of it: the same may succeed later.
    var isOfTheServer: Bool {
        switch self {
        case .diskFull, .logReadOnly, .commitLogBehind, .memoryFull, .memoryHeld, .shuttingDown, .archived,
            .archiveUnavailable, .archiveDamaged:
            true
        default: false
        }
    }
}

/// What an acknowledged write survives, in ascending strength.
package enum Acknowledgement: String, Comparable, Sendable, CaseIterable {
    case memory
    case disk
    case quorum

    package static func < (left: Acknowledgement, right: Acknowledgement) -> Bool {
        left.number < right.number
    }

    /// In the order of strength.
    var number: UInt8 {
        switch self {
        case .memory: 0
        case .disk: 1
        case .quorum: 2
        }
    }

    init(number: UInt8) {
        switch number {
        case Self.disk.number: self = .disk
        case Self.quorum.number: self = .quorum
        default: self = .memory
        }
    }
}
