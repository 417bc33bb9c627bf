/// Where all files are reached: a seam, so that tests can make any call fail, and can cut the power.
///
/// Paths are absolute or relative to the working directory. Every call is complete or throws; none is half done
/// without saying so, and none is tried again after `synchronise` has failed.
package protocol FileSystem: Sendable {
    func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> any OpenFile
    func makeDirectory(_ path: String) throws(FileFailure)
    /// The names in it, in no order.
    func list(_ path: String) throws(FileFailure) -> [String]
    func exists(_ path: String) -> Bool
    /// What has this name, symbolic links not followed; nil: nothing.
    func inspect(_ path: String) throws(FileFailure) -> FileEntry?
    /// Durable once `synchroniseDirectory` has returned.
    func rename(_ path: String, to target: String) throws(FileFailure)
    func remove(_ path: String) throws(FileFailure)
    func synchroniseDirectory(_ path: String) throws(FileFailure)
    /// Against a second process; held until the file is let go.
    func lock(_ path: String) throws(FileFailure) -> any OpenFile
    /// What is free for this process on the file system that holds `path`, in bytes.
    func freeBytes(at path: String) throws(FileFailure) -> Int
    /// Zeros in memory that the system may write to a file without a name in the directory when it wants the memory for
    /// something else. Its space on disk is taken at once: a full disk is met here, not when it is stored to.
    func scratch(in directory: String, bytes: Int) throws(FileFailure) -> any ScratchMemory
}

/// What a name in a directory stands for.
package struct FileEntry: Equatable, Sendable {
    package enum Kind: Sendable { case file, directory, other }

    package let kind: Kind
    /// Of a file.
    package let bytes: Int
    /// Unix milliseconds; nil where files have no times.
    package let modified: Int64?

    package init(kind: Kind, bytes: Int, modified: Int64?) {
        self.kind = kind
        self.bytes = bytes
        self.modified = modified
    }
}

extension FileSystem {
    /// For file systems without links and times.
    package func inspect(_ path: String) throws(FileFailure) -> FileEntry? {
        guard exists(path) else { return nil }
        do {
            return FileEntry(kind: .file, bytes: try open(path, .read).size(), modified: nil)
        } catch {
            guard error.isMissing else { throw error }
            return FileEntry(kind: .directory, bytes: 0, modified: nil)
        }
    }
}

package enum FileAccess: Sendable {
    case read
    /// For reading and writing; it must be there.
    case write
    /// For reading and writing; it must not be there.
    case create
}

/// Closed with its last reference. Safe from any thread.
package protocol OpenFile: AnyObject, Sendable {
    var path: String { get }
    func size() throws(FileFailure) -> Int
    /// Fills the buffer from `position` on. - Throws: `FileFailure` with `endOfFile` when the file ends before.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(FileFailure)
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileFailure)
    /// Content and size reach the disk. A failure is final: what was written since the last success may be lost, and the
    /// system would not say so again.
    func synchronise() throws(FileFailure)
    /// What was synchronised is read from the disk the next time, as far as the system can be told to.
    func forgetCached()
    /// The whole file, as it is now, for reading.
    func map() throws(FileFailure) -> any MappedBytes
}

extension OpenFile {
    /// For files that have no disk below them.
    package func forgetCached() {}
}

/// Bytes of a file in memory, for as long as this object lives. 64-byte aligned.
package protocol MappedBytes: AnyObject, Sendable {
    var bytes: UnsafeRawBufferPointer { get }
}

/// Memory for as long as this object lives, 4096-byte aligned. Who stores to it sees to it that nobody else does.
package protocol ScratchMemory: AnyObject, Sendable {
    var bytes: UnsafeMutableRawBufferPointer { get }
}
