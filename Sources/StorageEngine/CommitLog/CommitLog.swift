/// Makes effects durable, in order. Memory mode has none: its entries commit as they are assigned.
///
/// `submit` is called with the partitions' locks held, so that the order of entries is the order of offsets; it must
/// only enqueue. Later, from a thread of the commit log's own and in the order of submission, each entry gets exactly
/// one of `commit()` and `fail(_:)`; after a failure no later entry of the log may commit.
package protocol CommitLog: AnyObject, Sendable {
    /// What a committed entry survives.
    var acknowledgement: Acknowledgement { get }
    func submit(_ entry: CommitEntry)
    /// Why a write would not be taken now; nil when it would. Called with locks held: a few loads.
    /// - Parameter freesSpace: the write makes room, as deleting does.
    func refusal(freesSpace: Bool) -> CommitRefusal?
}

package enum CommitRefusal: Sendable, Equatable {
    /// It failed, and takes nothing more until the server is started again.
    case failed(reason: String)
    /// The disk has no room; it looks again by itself.
    case full
    /// More is waiting for the disk than may.
    case behind
}

extension CommitLog {
    package func refusal(freesSpace: Bool) -> CommitRefusal? { nil }
}
