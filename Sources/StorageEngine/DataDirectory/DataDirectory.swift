import Platform
import Synchronization

/// The files of a server: one directory, locked against a second process.
///
///     LOCK                     held while a server runs
///     checkpoint               logs and where their batches lie; replaced as a whole
///     checkpoint.copy          the same again
///     last-run                 whether the last run ended in an orderly way
///     wal/<number>.wal         what was written since the checkpoint
///     segments/<number>.seg    batches
///
/// Files are named by number, never by what a user says.
package final class DataDirectory: Sendable {
    package let path: String
    let files: any FileSystem
    let limit = DiskLimit()
    let wal: WriteAheadLog
    /// Of keys whose rows are read from segments.
    let keyPages: DiskKeyPages
    private let lock: Lock<(any OpenFile)?>
    /// Segments that are being read.
    let mappings = Lock<[SegmentID: any MappedBytes]>([:])
    /// Files of the write-ahead log that were found, oldest first.
    let foundWALFiles: [String]
    let isQuarantining: Bool
    /// Of each file of the write-ahead log.
    let walFileBytes: Int

    static let quarantineDirectory = "quarantine"
    static let walDirectory = "wal"
    static let segmentDirectory = "segments"
    package static let walFileBytes = 64 << 20

    /// Makes the directory if it is not there.
    ///
    /// - Parameters:
    ///   - walFileBytes: of each file of the write-ahead log.
    ///   - quarantines: what is damaged is put aside instead of refusing to start.
    /// - Throws: `StorageFailure`; nothing was changed then.
    package init(
        _ path: String, files: any FileSystem = SystemFiles(), walFileBytes: Int = DataDirectory.walFileBytes,
        quarantines: Bool = false
    ) throws(StorageFailure) {
        self.path = path
        self.files = files
        isQuarantining = quarantines
        keyPages = DiskKeyPages(directory: path, files: files, limit: limit)
        self.walFileBytes = walFileBytes
        let walPath = "\(path)/\(Self.walDirectory)"
        do throws(FileFailure) {
            for directory in [path, walPath, "\(path)/\(Self.segmentDirectory)"] {
                try files.makeDirectory(directory)
            }
            // The first start has not ended yet: its own name may not be on disk.
            if !files.exists("\(path)/\(LastRun.file)") {
                try files.synchroniseDirectory(Self.parent(of: path))
            }
            lock = Lock(try files.lock("\(path)/LOCK"))
            try files.synchroniseDirectory(path)
            let found = try files.list(walPath).compactMap { WALFileSupply.number(ofFile: $0) }.sorted()
            foundWALFiles = found.map { "\(walPath)/\(WALFileSupply.name($0))" }
            wal = WriteAheadLog(
                directory: walPath, files: files, fileBytes: walFileBytes, nextNumber: (found.last ?? 0) + 1,
                limit: limit)
        } catch {
            if error.isLocked {
                throw StorageFailure(path: path, reason: "another process uses this data directory")
            }
            throw StorageFailure(error)
        }
    }

    private static func parent(of path: String) -> String {
        let names = path.split(separator: "/").dropLast()
        let parent = names.joined(separator: "/")
        return path.hasPrefix("/") ? "/" + parent : parent.isEmpty ? "." : parent
    }

    /// Whether there is one at all: making one is not always wanted.
    package static func exists(_ path: String, files: any FileSystem = SystemFiles()) -> Bool {
        files.exists("\(path)/\(walDirectory)")
    }

    var walPath: String { "\(path)/\(Self.walDirectory)" }
    var segmentPath: String { "\(path)/\(Self.segmentDirectory)" }
    func path(of segment: SegmentID) -> String { "\(segmentPath)/\(SegmentFormat.name(segment))" }

    /// Another server may have it: nothing is written any more.
    func release() { lock.withLock { $0 = nil } }

    /// Replaces a file as a whole: afterwards the old content or the new one is there, whatever happens.
    func replace(_ name: String, with content: ByteBuffer) throws(FileFailure) {
        let temporary = "\(path)/\(name).new"
        if files.exists(temporary) { try files.remove(temporary) }
        let file = try files.open(temporary, .create)
        try file.write(content.bytes, at: 0)
        try file.synchronise()
        try files.rename(temporary, to: "\(path)/\(name)")
        try files.synchroniseDirectory(path)
    }

    /// The content of a file; nil when there is none.
    func content(of name: String) throws(FileFailure) -> (any MappedBytes)? {
        let file = "\(path)/\(name)"
        return files.exists(file) ? try files.open(file, .read).map() : nil
    }
}

/// Data on disk that cannot be used as it is: the server does not start.
package struct StorageFailure: Error, Equatable, CustomStringConvertible {
    package let path: String
    /// In the file, in bytes.
    package let position: Int?
    package let reason: String

    package init(path: String, position: Int? = nil, reason: String) {
        self.path = path
        self.position = position
        self.reason = reason
    }

    init(_ failure: FileFailure) {
        self.init(path: failure.path, reason: "\(failure)")
    }

    package var description: String {
        position.map { "\(path), at byte \($0): \(reason)" } ?? "\(path): \(reason)"
    }
}
