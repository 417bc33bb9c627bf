import Platform
import Synchronization

/// Makes the files of the write-ahead log ahead of their use, on a thread of its own: filling one with zeros takes as long
/// as writing it, and is where a full disk is met.
final class WALFileSupply: Sendable {
    enum Failure: Error, Equatable {
        case stopped
        /// There is no space, and it was not to be waited for.
        case full
        case refused(FileFailure)
    }

    private struct State {
        var blank: BlankWALFile?
        var wantsBlank = true
        /// A small one for what makes room: taken when the disk is full and no other is there.
        var reserve: BlankWALFile?
        var nextNumber: UInt64
        var isStopping = false
        /// Nobody waits for space any more.
        var isEnding = false
        /// Of the last try; nil when it succeeded.
        var failure: FileFailure?
    }

    private static let retryMilliseconds: Int64 = 500
    private static let reserveBytesMax = 16 << 20

    private let directory: String
    private let files: any FileSystem
    private let fileBytes: Int
    private let state: Lock<State>
    private let changed = WakeUp()
    private let wanted = WakeUp()
    private let full = Atomic<Bool>(false)
    private let limit: DiskLimit
    private let short = Atomic<Bool>(false)
    private let reserved = Atomic<Bool>(false)

    /// - Parameter nextNumber: above that of every file that is there.
    init(directory: String, files: any FileSystem, fileBytes: Int, nextNumber: UInt64, limit: DiskLimit) {
        self.directory = directory
        self.files = files
        self.fileBytes = fileBytes
        self.limit = limit
        state = Lock(State(nextNumber: nextNumber))
    }

    /// No file could be made for want of space, and none is ready.
    var isFull: Bool { full.load(ordering: .relaxed) }
    /// The same for want of something else, as descriptors.
    var isShort: Bool { short.load(ordering: .relaxed) }
    /// There is still the small file for what makes room.
    var hasReserve: Bool { reserved.load(ordering: .relaxed) }

    private static let suffix = ".wal"
    static func name(_ number: UInt64) -> String { NumberedFile.name(number, suffix: suffix) }
    static func number(ofFile name: String) -> UInt64? { NumberedFile.number(of: name, suffix: suffix) }
    static func number(ofPath path: String) -> UInt64? {
        path.split(separator: "/").last.flatMap { NumberedFile.number(of: $0, suffix: suffix) }
    }

    /// Keeps a blank file ready until `stop()`: on a thread of its own.
    func run() {
        while true {
            let generation = wanted.generation
            let (wants, stops) = state.withLock { ($0.wantsBlank, $0.isStopping) }
            if stops { return }
            guard wants else {
                wanted.wait(since: generation)
                continue
            }
            if !prepare() {
                wanted.wait(since: generation, timeoutNanoseconds: Self.retryMilliseconds * 1_000_000)
            }
        }
    }

    /// - Returns: false when it has to be tried again.
    private func prepare() -> Bool {
        do throws(FileFailure) {
            let blank = try make(bytes: fileBytes)
            state.withLock { state in
                state.blank = blank
                state.wantsBlank = false
                state.failure = nil
            }
            note(nil)
            changed.signal()
            try prepareReserve()
            return true
        } catch {
            // A small file may still find room. Without any reserve writes go on, until the next file cannot be made either.
            if error.isNoSpace { try? prepareReserve() }
            let hasBlank = state.withLock { state in
                if state.blank == nil { state.failure = error }
                return state.blank != nil
            }
            if !hasBlank { note(error) }
            changed.signal()
            return hasBlank
        }
    }

    private func note(_ failure: FileFailure?) {
        full.store(failure?.isNoSpace ?? false, ordering: .relaxed)
        short.store(failure.map { !$0.isNoSpace } ?? false, ordering: .relaxed)
    }

    private func prepareReserve() throws(FileFailure) {
        guard !hasReserve else { return }
        let reserve = try make(bytes: min(fileBytes, Self.reserveBytesMax))
        state.withLock { $0.reserve = reserve }
        reserved.store(true, ordering: .relaxed)
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wanted.signal()
        changed.signal()
    }

    /// The server is to be stopped: who waits for space, or would, is refused.
    func stopWaitingForSpace() {
        state.withLock { $0.isEnding = true }
        changed.signal()
    }

    /// Space may have come back.
    func retry() { wanted.signal() }

    /// The next file, which has room for a payload of this size.
    /// - Parameters:
    ///   - waitsForSpace: while the disk is full.
    ///   - usesReserve: rather than wait, or not have any.
    func take(
        forPayload payload: Int, waitsForSpace: Bool = true, usesReserve: Bool = true
    ) throws(Failure) -> BlankWALFile {
        // The file's header, the frame, and the one that names the next file.
        let needed = 2 * WALFormat.headerBytes + WALFormat.frameBytes(payload: payload)
        if needed > fileBytes { return try takeLarge(needed, waitsForSpace: waitsForSpace) }
        while true {
            let generation = changed.generation
            let (blank, failure, isStopping, isEnding) = state.withLock { state in
                defer {
                    if state.blank != nil { state.wantsBlank = true }
                    state.blank = nil
                }
                return (state.blank, state.failure, state.isStopping, state.isEnding)
            }
            if let blank {
                wanted.signal()
                return blank
            }
            if isStopping { throw .stopped }
            if let failure {
                if !failure.mayPass { throw .refused(failure) }
                if usesReserve, let reserve = takeReserve(needed) { return reserve }
                if !waitsForSpace { throw .full }
                if isEnding { throw .refused(failure) }
            }
            changed.wait(since: generation)
        }
    }

    /// For one entry that is larger than a file usually is.
    private func takeLarge(_ bytes: Int, waitsForSpace: Bool) throws(Failure) -> BlankWALFile {
        while true {
            do throws(FileFailure) {
                let blank = try make(bytes: bytes)
                note(nil)
                return blank
            } catch {
                note(error)
                if !error.mayPass { throw .refused(error) }
                if !waitsForSpace { throw .full }
                let (isStopping, isEnding) = state.withLock { ($0.isStopping, $0.isEnding) }
                if isStopping || isEnding { throw .refused(error) }
            }
            Clock.pause(milliseconds: Int(Self.retryMilliseconds))
        }
    }

    private func takeReserve(_ bytes: Int) -> BlankWALFile? {
        let reserve = state.withLock { state -> BlankWALFile? in
            guard let reserve = state.reserve, reserve.bytes >= bytes else { return nil }
            state.reserve = nil
            return reserve
        }
        if reserve != nil { reserved.store(false, ordering: .relaxed) }
        return reserve
    }

    /// Its space is wanted for something else. - Returns: false when there was none.
    func giveUpReserve() -> Bool {
        guard let reserve = takeReserve(0) else { return false }
        do throws(FileFailure) { try files.remove(reserve.file.path) } catch { return false }
        return true
    }

    private func make(bytes: Int) throws(FileFailure) -> BlankWALFile {
        let number = state.withLock { state in
            defer { state.nextNumber += 1 }
            return state.nextNumber
        }
        let path = "\(directory)/\(Self.name(number))"
        try limit.check(bytes, at: path)
        let file = try files.open(path, .create)
        do throws(FileFailure) {
            try fill(file, bytes: bytes)
            try file.synchronise()
            try files.synchroniseDirectory(directory)
        } catch {
            // What is left of it takes space; the next start removes it if this cannot.
            try? files.remove(path)
            throw error
        }
        return BlankWALFile(file: file, number: number, bytes: bytes)
    }

    private func fill(_ file: any OpenFile, bytes: Int) throws(FileFailure) {
        let pieceBytes = min(bytes, 1 << 20)
        let zeros = ByteBuffer(capacity: pieceBytes)
        zeros.appendZeros(pieceBytes)
        var position = 0
        var pace = WritingPace()
        while position < bytes {
            let piece = UnsafeRawBufferPointer(rebasing: zeros.bytes[0..<min(pieceBytes, bytes - position)])
            try file.write(piece, at: position)
            position += piece.count
            if pace.isPauseDue(after: piece.count) { try file.synchronise() }
        }
    }
}
