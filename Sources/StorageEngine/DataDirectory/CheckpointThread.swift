import Platform
import Synchronization

/// Decides when a checkpoint is due, and writes it on a thread of its own.
final class CheckpointThread: Sendable {
    private struct State {
        var requests: [Awaited<CheckpointFailure?>] = []
        var isForced = false
        var isStopping = false
        var thread: Thread?
    }

    /// How often is looked whether one is due, and how long after a failure it is tried again.
    private static let intervalMilliseconds: Int64 = 200
    private static let retryMilliseconds: Int64 = 5_000
    /// How often is written down that rows have expired.
    private static let expiryMilliseconds: Int64 = 1_000

    private let checkpointer: Checkpointer
    private let wal: WriteAheadLog
    private let everyBytes: Int
    private let report: @Sendable (String) -> Void
    private let noteExpiry: @Sendable (_ checkpoint: () -> Bool) -> Void
    private let state = Lock(State())
    private let wakeUp = WakeUp()

    var figures: CheckpointFigures { checkpointer.figures }

    init(
        _ checkpointer: Checkpointer, _ wal: WriteAheadLog, everyBytes: Int,
        _ report: @escaping @Sendable (String) -> Void,
        noteExpiry: @escaping @Sendable (_ checkpoint: () -> Bool) -> Void
    ) {
        self.checkpointer = checkpointer
        self.wal = wal
        self.everyBytes = everyBytes
        self.report = report
        self.noteExpiry = noteExpiry
    }

    func start() {
        let thread = Thread(name: "checkpoint") { [self] in run() }
        state.withLock { $0.thread = thread }
    }

    func stop() {
        let thread = state.withLock { state in
            state.isStopping = true
            defer { state.thread = nil }
            return state.thread
        }
        wakeUp.signal()
        thread?.join()
    }

    func runNow(forced: Bool) throws(CheckpointFailure) {
        let done = Awaited<CheckpointFailure?>()
        let isStopping = state.withLock { state in
            if !state.isStopping {
                state.requests.append(done)
                state.isForced = state.isForced || forced
            }
            return state.isStopping
        }
        if isStopping { throw .logFailed }
        wakeUp.signal()
        if let failure = done.wait() { throw failure }
    }

    private func run() {
        var notBefore: Int64 = 0
        var expiryDue: Int64 = 0
        while true {
            let generation = wakeUp.generation
            let (requests, isForced, isStopping) = state.withLock { state in
                defer {
                    state.requests = []
                    state.isForced = false
                }
                return (state.requests, state.isForced, state.isStopping)
            }
            let now = Clock.monotonicNanoseconds() / 1_000_000
            if !requests.isEmpty || (now >= notBefore && !isStopping && isDue) {
                let failure = attempt(forced: isForced)
                if failure != nil { notBefore = now + Self.retryMilliseconds }
                for request in requests { request.fulfil(failure) }
                continue
            }
            if isStopping { return }
            if now >= expiryDue, wal.failure == nil {
                expiryDue = now + Self.expiryMilliseconds
                noteExpiry { attempt(forced: true) == nil }
            }
            wakeUp.wait(since: generation, timeoutNanoseconds: Self.intervalMilliseconds * 1_000_000)
        }
    }

    private var isDue: Bool {
        guard wal.failure == nil else { return false }
        let closed = wal.closedBytes
        return closed >= everyBytes || (wal.supply.isFull && closed > 0)
            || checkpointer.source.isDue(checkpointer.source.clock.now())
    }

    private func attempt(forced: Bool) -> CheckpointFailure? {
        do throws(CheckpointFailure) {
            do throws(CheckpointFailure) {
                try checkpointer.run(forced: forced)
            } catch {
                // It is what makes room on a full disk: for it there is a reserve.
                guard case .refused(let failure) = error, failure.isNoSpace, wal.supply.giveUpReserve() else {
                    throw error
                }
                try checkpointer.run(forced: forced)
            }
            return nil
        } catch {
            checkpointer.figures.noteFailure()
            report("the checkpoint failed: \(error)")
            return error
        }
    }
}
