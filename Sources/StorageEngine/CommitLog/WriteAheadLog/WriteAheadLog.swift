import Platform
import Synchronization

/// The commit log of all persistent logs of a process: one sequence of frames on disk, written by one thread, so that one
/// `fdatasync` serves everybody who waits.
///
/// This is the side that writers see; `WALFlusher` is the thread behind it. Thread-safe.
final class WriteAheadLog: Sendable {
    /// When an entry counts as committed, and so what it survives.
    struct Policy: Sendable, Equatable {
        /// It waits for the disk.
        var synchronises = true
        /// Else: when it reaches the disk at the latest; nil: when the system likes.
        var intervalMilliseconds: Int64?
    }

    enum Work: Sendable {
        case entry(CommitEntry, Policy)
        /// What comes before is written and synchronised; what comes after goes into a new file, if there is space for one.
        /// The argument is the last frame before, nil after a failure.
        case rotate(@Sendable (Boundary?) -> Void)
        /// What comes before is synchronised.
        case synchronise(@Sendable (Bool) -> Void)
    }

    struct Boundary: Sendable {
        /// The last frame before.
        let last: LSN
        /// The number of the file that goes on.
        let file: UInt64
    }

    private struct State {
        var work: [Work] = []
        var isStopping = false
        /// Files that are complete, oldest first.
        var closed: [ClosedFile] = []
    }

    struct ClosedFile: Sendable {
        let path: String
        let last: LSN
        let bytes: Int
    }

    /// Beyond it writers are told to come back: a disk that is slow must not fill the memory.
    static let pendingBytesMax = 64 << 20
    /// What a delete and a few more take, with what is written beside them.
    private static let lastRoomBytes = 4096

    let supply: WALFileSupply
    let figures = WALFigures()
    private let state: Lock<State>
    private let wakeUp = WakeUp()
    private let pending = Atomic<Int>(0)
    private let broken = Atomic<Bool>(false)
    /// In the file that is being written.
    private let room = Atomic<Int>(0)
    private let written = Atomic<UInt64>(0)
    private let reason = Lock<String?>(nil)
    private let reporter = Lock<(@Sendable (String) -> Void)?>(nil)
    private let files: any FileSystem
    private let directory: String

    init(directory: String, files: any FileSystem, fileBytes: Int, nextNumber: UInt64, limit: DiskLimit) {
        self.directory = directory
        self.files = files
        supply = WALFileSupply(
            directory: directory, files: files, fileBytes: fileBytes, nextNumber: nextNumber, limit: limit)
        state = Lock(State())
    }

    // MARK: For writers

    func submit(_ entry: CommitEntry, _ policy: Policy) {
        pending.wrappingAdd(entry.bytes, ordering: .relaxed)
        add(.entry(entry, policy))
    }

    func refusal(freesSpace: Bool) -> CommitRefusal? {
        if broken.load(ordering: .relaxed) { return .failed(reason: failure ?? "the write-ahead log failed") }
        if supply.isFull, !freesSpace || !hasRoomLeft { return .full }
        // Files cannot be made for another reason, which may pass.
        if !freesSpace, supply.isShort { return .behind }
        return pending.load(ordering: .relaxed) > Self.pendingBytesMax ? .behind : nil
    }

    /// Of a full disk, for what makes room: in the file in use, or in reserve.
    private var hasRoomLeft: Bool {
        supply.hasReserve
            || room.load(ordering: .relaxed) - pending.load(ordering: .relaxed) > Self.lastRoomBytes
    }

    /// Why it takes nothing more.
    var failure: String? { reason.withLock { $0 } }

    // MARK: For checkpoints

    func add(_ work: Work) {
        let wasEmpty = state.withLock { state in
            defer { state.work.append(work) }
            return state.work.isEmpty
        }
        if wasEmpty { wakeUp.signal() }
    }

    /// Bytes of the files that a checkpoint could make unnecessary.
    var closedBytes: Int { state.withLock { $0.closed.reduce(0) { $0 + $1.bytes } } }

    /// Removes files that hold nothing behind `lsn`.
    func discard(through lsn: LSN) throws(FileFailure) {
        var isAnyRemoved = false
        while let file = state.withLock({ $0.closed.first }), file.last <= lsn {
            try files.remove(file.path)
            state.withLock { _ = $0.closed.removeFirst() }
            isAnyRemoved = true
        }
        if isAnyRemoved {
            try files.synchroniseDirectory(directory)
            supply.retry()
        }
    }

    /// What was submitted is written, then the threads end.
    func stop() {
        state.withLock { $0.isStopping = true }
        wakeUp.signal()
    }

    // MARK: For the flusher

    var generation: UInt32 { wakeUp.generation }

    func take() -> (work: [Work], isStopping: Bool) {
        state.withLock { state in
            defer { state.work = [] }
            return (state.work, state.isStopping)
        }
    }

    func wait(since generation: UInt32, milliseconds: Int64?) {
        wakeUp.wait(since: generation, timeoutNanoseconds: milliseconds.map { $0 * 1_000_000 })
    }

    /// The last frame that was handed to the system, of this run or an earlier one.
    var lastWritten: LSN { LSN(rawValue: written.load(ordering: .sequentiallyConsistent)) }
    func note(written lsn: LSN) { written.store(lsn.rawValue, ordering: .sequentiallyConsistent) }

    func note(roomBytes: Int) { room.store(roomBytes, ordering: .relaxed) }

    func decided(_ entry: CommitEntry) { pending.wrappingSubtract(entry.bytes, ordering: .relaxed) }

    func fail(_ why: String) {
        let isFirst = reason.withLock { reason in
            defer { reason = reason ?? why }
            return reason == nil
        }
        broken.store(true, ordering: .sequentiallyConsistent)
        if isFirst { reporter.withLock { $0 }?(why) }
    }

    /// Is told once why it takes nothing more.
    func onFailure(_ report: @escaping @Sendable (String) -> Void) { reporter.withLock { $0 = report } }

    func close(_ file: ClosedFile) { state.withLock { $0.closed.append(file) } }
}

/// What the write-ahead log has done since the start.
package final class WALFigures: Sendable {
    let written = Atomic<Int>(0)
    let frames = Atomic<Int>(0)
    let entries = Atomic<Int>(0)
    let synchronisations = Atomic<Int>(0)
    let synchronisationNanoseconds = Atomic<Int>(0)

    package var writtenBytes: Int { written.load(ordering: .relaxed) }
    package var frameCount: Int { frames.load(ordering: .relaxed) }
    package var entryCount: Int { entries.load(ordering: .relaxed) }
    package var synchronisationCount: Int { synchronisations.load(ordering: .relaxed) }
    package var synchronisationSeconds: Double {
        Double(synchronisationNanoseconds.load(ordering: .relaxed)) / 1e9
    }
}

/// The write-ahead log as one log sees it, with what that log asks of the disk.
final class WALCommitLog: CommitLog {
    private let log: WriteAheadLog
    private let policy: WriteAheadLog.Policy
    let acknowledgement: Acknowledgement

    init(_ log: WriteAheadLog, _ durability: LogConfiguration.Durability) {
        self.log = log
        switch durability.synchronisation {
        case .always: policy = .init()
        case .interval:
            policy = .init(
                synchronises: false, intervalMilliseconds: durability.synchronisationIntervalMilliseconds)
        case .never: policy = .init(synchronises: false)
        }
        acknowledgement = policy.synchronises ? .disk : .memory
    }

    func submit(_ entry: CommitEntry) { log.submit(entry, policy) }
    func refusal(freesSpace: Bool) -> CommitRefusal? { log.refusal(freesSpace: freesSpace) }
}
