import Platform

/// Reads the files of the write-ahead log in order and hands over what stands in them.
///
/// Bounded memory: a file is mapped, and a frame is decoded at a time; only what was perhaps never synchronised is kept, to
/// be written again.
struct WALRecovery {
    let files: any FileSystem
    let directory: String
    /// Frames up to this one are in the checkpoint.
    let after: LSN

    /// The last frame that was handed over.
    private(set) var last: LSN
    /// A frame said that all up to this one had been synchronised.
    private(set) var synchronised: LSN
    /// Payloads of the frames behind it: the disk may not have them, though they can be read.
    private(set) var tail: [(lsn: LSN, payload: ByteBuffer)] = []
    private(set) var closed: [WriteAheadLog.ClosedFile] = []
    /// Entries that were cut off because they were never acknowledged.
    private(set) var tornFrames = 0
    private(set) var bytesRead = 0
    private(set) var frames = 0
    private let removesBlanks: Bool
    private var required: [UInt64]
    private var readNumbers: Set<UInt64> = []
    /// In the order of their frames, once `run` has begun.
    private(set) var ordered: [String] = []
    /// A frame that cannot be read where it stands: a later file must have it again.
    private var damage: (lsn: LSN, failure: StorageFailure)?

    /// - Parameters:
    ///   - removesBlanks: files that were made and never used go.
    ///   - required: numbers of files that have to be there.
    init(
        files: any FileSystem, directory: String, after: LSN, required: [UInt64] = [],
        removesBlanks: Bool = true
    ) {
        self.directory = directory
        self.required = required
        self.files = files
        self.removesBlanks = removesBlanks
        self.after = after
        last = after
        synchronised = after
    }

    /// - Parameter apply: the payload is valid during the call.
    /// - Throws: `StorageFailure` for damage; what `apply` throws, as damage of that frame.
    mutating func run(
        _ paths: [String], progress: (Int) -> Void, _ apply: (LSN, UnsafeRawBufferPointer) throws -> Void
    ) throws(StorageFailure) {
        ordered = try inOrder(paths)
        for path in ordered {
            let mapped: any MappedBytes
            do throws(FileFailure) { mapped = try files.open(path, .read).map() } catch {
                throw StorageFailure(error)
            }
            bytesRead += mapped.bytes.count
            defer { progress(bytesRead) }
            // Made, but never used.
            let begin = UnsafeRawBufferPointer(rebasing: mapped.bytes.prefix(WALFormat.headerBytes))
            if isZero(begin) {
                try discard(path, mapped.bytes)
                continue
            }
            if let number = WALFileSupply.number(ofPath: path) { readNumbers.insert(number) }
            let earlier = damage
            damage = nil
            try read(path, mapped.bytes, earlier, apply)
            // What was damaged in an earlier file this one has again, with all that came behind it. Its own damage nobody
            // has again yet, even where the frame itself was known from before.
            if let earlier, earlier.lsn > last { damage = earlier }
        }
        if let damage { throw damage.failure }
        if let missing = required.first(where: { !readNumbers.contains($0) }) {
            throw StorageFailure(
                path: "\(directory)/\(WALFileSupply.name(missing))",
                reason: "it is missing, and holds what was written last")
        }
    }

    /// By their first frames: a file that was made for one large entry is used before one that was ready already.
    private func inOrder(_ paths: [String]) throws(StorageFailure) -> [String] {
        var found: [(first: LSN, path: String)] = []
        for path in paths {
            let begin = ByteBuffer()
            do throws(FileFailure) {
                let file = try files.open(path, .read)
                begin.appendZeros(min(WALFormat.headerBytes, try file.size()))
                try file.read(into: begin.mutableBytes, at: 0)
            } catch {
                throw StorageFailure(error)
            }
            // What is no header is named when the file is read.
            let header = try? WALFileHeader(decoding: begin.bytes)
            found.append((header?.first ?? .zero, path))
        }
        return found.sorted { ($0.first, $0.path) < ($1.first, $1.path) }.map(\.path)
    }

    private func discard(_ path: String, _ bytes: UnsafeRawBufferPointer) throws(StorageFailure) {
        guard isZero(bytes) else {
            throw StorageFailure(path: path, position: 0, reason: "the file has no header")
        }
        guard removesBlanks else { return }
        do throws(FileFailure) { try files.remove(path) } catch { throw StorageFailure(error) }
    }

    private mutating func read(
        _ path: String, _ bytes: UnsafeRawBufferPointer, _ earlier: (lsn: LSN, failure: StorageFailure)?,
        _ apply: (LSN, UnsafeRawBufferPointer) throws -> Void
    ) throws(StorageFailure) {
        var reader = try Self.reader(path, bytes)
        guard reader.next <= last.next else {
            // It was made ready, and before the file before could name it the server ended.
            if case .end = reader.step() {
                closed.append(.init(path: path, last: last, bytes: bytes.count))
                return
            }
            if let earlier { throw earlier.failure }
            throw StorageFailure(
                path: path, position: 0,
                reason: "it begins with frame \(reader.next.rawValue), and \(last.next.rawValue) is missing")
        }
        while true {
            let position = reader.position
            switch reader.step() {
            case .frame(let header, let payload):
                try take(header, payload, path, position, apply)
                continue
            case .end: break
            case .torn: tornFrames += 1
            case .damaged(let reason):
                let failure = StorageFailure(path: path, position: position, reason: reason)
                if reader.next <= synchronised { throw failure }
                damage = (reader.next, failure)
            }
            break
        }
        closed.append(
            .init(path: path, last: max(last, LSN(rawValue: reader.next.rawValue - 1)), bytes: bytes.count))
    }

    private static func reader(
        _ path: String, _ bytes: UnsafeRawBufferPointer
    ) throws(StorageFailure) -> WALReader {
        do {
            return try WALReader(bytes)
        } catch let error as UnknownVersion {
            throw StorageFailure(path: path, unknown: error)
        } catch {
            throw StorageFailure(path: path, position: 0, reason: "the file's header is not valid")
        }
    }

    private mutating func take(
        _ header: WALFrameHeader, _ payload: UnsafeRawBufferPointer, _ path: String, _ position: Int,
        _ apply: (LSN, UnsafeRawBufferPointer) throws -> Void
    ) throws(StorageFailure) {
        if header.synchronised > synchronised {
            synchronised = header.synchronised
            let known = synchronised
            tail.removeAll { $0.lsn <= known }
        }
        if header.nextFile != 0, header.lsn > after { required.append(header.nextFile) }
        // In the checkpoint, or written again at the head of this file.
        guard header.lsn > last else { return }
        do {
            try apply(header.lsn, payload)
        } catch {
            throw StorageFailure(
                path: path, position: position,
                reason: "frame \(header.lsn.rawValue) cannot be applied: \(error)")
        }
        last = header.lsn
        frames += 1
        let copy = ByteBuffer(capacity: WALFormat.headerBytes + payload.count)
        copy.appendZeros(WALFormat.headerBytes)
        copy.append(payload)
        tail.append((header.lsn, copy))
    }
}
