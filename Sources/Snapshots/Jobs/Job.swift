import Platform
import Synchronization

/// Something that takes its time: a snapshot, a restore, a replay, an export. Safe from any thread.
package final class Job: Sendable {
    package enum Kind: String, Sendable { case snapshot, restore, replay, export }
    package enum Phase: String, Sendable { case running, complete, failed }

    /// How it stands.
    package struct Progress: Sendable {
        package var phase = Phase.running
        /// Of the snapshot that is made or read, once that is known.
        package var snapshot: String?
        /// The instant of the snapshot, in Unix milliseconds.
        package var time: Int64?
        package var logs: [String] = []
        package var bytes = 0
        /// 0 until it is known.
        package var bytesTotal = 0
        package var records = 0
        /// Of `bytes`, what was sent; the rest was there already.
        package var sentBytes = 0
        package var digest: String?
        package var failure: SnapshotFailure?
        package var finishedAt: Int64?
    }

    package let kind: Kind
    /// Names it among those of its kind.
    package let name: String
    package let location: String
    package let startedAt: Int64
    private let state = Lock(Progress())
    private let cancelled = Atomic<Bool>(false)
    private let reason = Lock<String?>(nil)

    init(_ kind: Kind, name: String, location: String, startedAt: Int64) {
        self.kind = kind
        self.name = name
        self.location = location
        self.startedAt = startedAt
    }

    package var progress: Progress { state.withLock { $0 } }
    package var isRunning: Bool { state.withLock { $0.phase == .running } }
    package var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    /// Why it is cancelled; nil: somebody asked for it.
    var cancellation: String? { reason.withLock { $0 } }

    /// It ends soon, as failed.
    package func cancel(_ why: String? = nil) {
        reason.withLock { $0 = $0 ?? why }
        cancelled.store(true, ordering: .releasing)
    }

    package func update(_ change: (inout Progress) -> Void) { state.withLock { change(&$0) } }

    func checkCancelled() throws(SnapshotFailure) {
        if isCancelled { throw .cancelled(reason: cancellation) }
    }

    func finish(at now: Int64, _ failure: SnapshotFailure?) {
        state.withLock { progress in
            progress.failure = failure
            progress.phase = failure == nil ? .complete : .failed
            progress.finishedAt = now
        }
    }
}
