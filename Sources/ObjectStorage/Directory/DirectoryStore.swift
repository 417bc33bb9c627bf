import Platform

/// Objects as files below a directory, the key being the path.
///
/// What is not a directory on the way to a file, a symbolic link above all, is no place for objects.
package struct DirectoryStore: ObjectStore {
    package let location: String
    /// Where the paths of files begin; empty for the root of the machine.
    let top: String
    let files: any FileSystem
    let isCancelled: @Sendable () -> Bool
    private let synchronised: SynchronisedDirectories

    /// - Parameter path: absolute. It need not be there before something is stored.
    package init(
        _ path: String, files: any FileSystem = SystemFiles(),
        isCancelled: @escaping @Sendable () -> Bool = { false }
    ) {
        self.init(path, files, SynchronisedDirectories(), isCancelled)
    }

    private init(
        _ path: String, _ files: any FileSystem, _ synchronised: SynchronisedDirectories,
        _ isCancelled: @escaping @Sendable () -> Bool
    ) {
        top = path == "/" ? "" : path
        location = path.isEmpty ? "/" : path
        self.files = files
        self.synchronised = synchronised
        self.isCancelled = isCancelled
    }

    package func cancelled(when isCancelled: @escaping @Sendable () -> Bool) -> any ObjectStore {
        let before = self.isCancelled
        return DirectoryStore(top, files, synchronised) { before() || isCancelled() }
    }

    package func size(of key: String) throws(ObjectStoreFailure) -> Int? {
        try ObjectKey.check(key, in: location)
        return try entry(of: key)?.bytes
    }

    package func get(
        _ key: String, range: Range<Int>?, _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws(ObjectStoreFailure) {
        try ObjectKey.check(key, in: location)
        guard let entry = try entry(of: key) else {
            throw ObjectStoreFailure(.notFound, location, key, "there is no such object")
        }
        let range = range ?? 0..<entry.bytes
        guard range.upperBound <= entry.bytes else {
            throw ObjectStoreFailure(
                .corrupt, location, key,
                "it has \(entry.bytes) bytes, and those from \(range.lowerBound) to \(range.upperBound) are wanted"
            )
        }
        let file = try reaching(key) { () throws(FileFailure) in try files.open(path(of: key), .read) }
        let source = ObjectSource(length: entry.bytes) { offset, buffer in
            try file.read(into: buffer, at: offset)
        }
        try pieces(of: source, range, key, .files) { _, piece in
            do { try receive(piece) } catch { throw ReceiverFailure(cause: error) }
        }
    }

    package func delete(_ key: String) throws(ObjectStoreFailure) {
        try ObjectKey.check(key, in: location)
        guard try entry(of: key) != nil else { return }
        try reaching(key) { () throws(FileFailure) in
            do throws(FileFailure) {
                try files.remove(path(of: key))
            } catch {
                // Somebody else was quicker.
                guard error.isMissing else { throw error }
            }
            try files.synchroniseDirectory(Self.parent(of: path(of: key)))
        }
    }

    // MARK: What the parts share

    func path(of key: String) -> String { "\(top)/\(key)" }

    static func parent(of path: String) -> String {
        let end = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        return end == path.startIndex ? "/" : String(path[..<end])
    }

    /// The file of a key; nil where there is none, or where the way to it leaves the directory.
    private func entry(of key: String) throws(ObjectStoreFailure) -> FileEntry? {
        try reaching(key) { () throws(FileFailure) -> FileEntry? in
            guard try isInside(key) else { return nil }
            guard let entry = try files.inspect(path(of: key)), entry.kind == .file else { return nil }
            return entry
        }
    }

    /// Whether all segments before the last are directories.
    func isInside(_ key: String) throws(FileFailure) -> Bool {
        var path = top
        for segment in key.split(separator: "/").dropLast() {
            path += "/" + segment
            guard try files.inspect(path)?.kind == .directory else { return false }
        }
        return true
    }

    /// Makes the directories on the way to a key that are not there, each durable before what is put in it.
    ///
    /// - Returns: false when something on the way, below the store's own directory, is no directory.
    func makeParents(of key: String) throws(FileFailure) -> Bool {
        var path = ""
        for segment in self.path(of: key).split(separator: "/").dropLast() {
            let parent = path.isEmpty ? "/" : path
            path += "/" + segment
            let isBelow = path.utf8.count > top.utf8.count
            // The way to the store itself may have links in it.
            if isBelow, let entry = try files.inspect(path), entry.kind != .directory { return false }
            if synchronised.contains(path) { continue }
            let isThere = files.exists(path)
            if !isThere { try files.makeDirectory(path) }
            // One that is there may be of a process that ended before it was durable.
            if isBelow || !isThere { try files.synchroniseDirectory(parent) }
            synchronised.insert(path)
        }
        return true
    }

    func reaching<Result>(
        _ key: String, _ body: () throws(FileFailure) -> Result
    ) throws(ObjectStoreFailure) -> Result {
        do { return try body() } catch { throw failure(.files, key, error) }
    }

    /// Hands on the pieces of a source, and tells who failed.
    ///
    /// - Parameter kind: of what the source throws.
    func pieces(
        of source: ObjectSource, _ range: Range<Int>, _ key: String, _ kind: ObjectStoreFailure.Kind,
        _ body: (Int, UnsafeRawBufferPointer) throws -> Void
    ) throws(ObjectStoreFailure) {
        do {
            try source.forEachPiece(of: range) { offset, piece in
                if isCancelled() {
                    throw ObjectStoreFailure(.cancelled, location, key, "it was cancelled")
                }
                try body(offset, piece)
            }
        } catch let error as ObjectStoreFailure {
            throw error
        } catch let error as ReceiverFailure {
            throw ObjectStoreFailure(.receiver, location, key, "\(error.cause)", cause: error.cause)
        } catch let error as WriteFailure {
            throw failure(.files, key, error.cause)
        } catch {
            throw failure(kind, key, error)
        }
    }

    func failure(_ kind: ObjectStoreFailure.Kind, _ key: String, _ error: any Error) -> ObjectStoreFailure {
        ObjectStoreFailure(kind, location, key, "\(error)", cause: error)
    }
}

struct ReceiverFailure: Error { let cause: any Error }
struct WriteFailure: Error { let cause: FileFailure }

/// Directories whose names are known to be durable, so that they are not synchronised for every object.
private final class SynchronisedDirectories: Sendable {
    private let paths = Lock<Set<String>>([])

    func contains(_ path: String) -> Bool { paths.withLock { $0.contains(path) } }
    func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
}
