import CPlatform
import Glibc

/// The files of the operating system.
package struct SystemFiles: FileSystem {
    package init() {}

    package func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> any OpenFile {
        let flags =
            switch access {
            case .read: O_RDONLY
            case .write: O_RDWR
            case .create: O_RDWR | O_CREAT | O_EXCL
            }
        let descriptor = retrying { pyra_open(path, flags | O_CLOEXEC, 0o600) }
        if descriptor < 0 { throw FileFailure("open", path, errno) }
        return SystemFile(path, descriptor)
    }

    package func makeDirectory(_ path: String) throws(FileFailure) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw FileFailure("make directory", path, errno) }
    }

    package func list(_ path: String) throws(FileFailure) -> [String] {
        guard let directory = opendir(path) else { throw FileFailure("list", path, errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(directory) else { break }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        if errno != 0 { throw FileFailure("list", path, errno) }
        return names
    }

    package func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Where an absolute path leads, symbolic links followed as far as there is something.
    package static func followed(_ path: String) -> String {
        var existing = Substring(path)
        while !existing.isEmpty {
            if let real = realpath(String(existing), nil) {
                defer { free(real) }
                let top = String(cString: real)
                return (top == "/" ? "" : top) + path[existing.endIndex...]
            }
            existing = existing[..<(existing.lastIndex(of: "/") ?? existing.startIndex)]
        }
        return path
    }

    package func inspect(_ path: String) throws(FileFailure) -> FileEntry? {
        var status = stat()
        if lstat(path, &status) != 0 {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw FileFailure("look at", path, errno)
        }
        let kind: FileEntry.Kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .directory
            default: .other
            }
        let modified = Int64(status.st_mtim.tv_sec) * 1000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
        return FileEntry(kind: kind, bytes: Int(status.st_size), modified: modified)
    }

    package func rename(_ path: String, to target: String) throws(FileFailure) {
        if Glibc.rename(path, target) != 0 { throw FileFailure("rename", path, errno) }
    }

    package func remove(_ path: String) throws(FileFailure) {
        if unlink(path) != 0 { throw FileFailure("remove", path, errno) }
    }

    package func synchroniseDirectory(_ path: String) throws(FileFailure) {
        let descriptor = retrying { pyra_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) }
        if descriptor < 0 { throw FileFailure("open", path, errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw FileFailure("synchronise", path, errno) }
    }

    package func lock(_ path: String) throws(FileFailure) -> any OpenFile {
        let descriptor = retrying { pyra_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        if descriptor < 0 { throw FileFailure("open", path, errno) }
        let file = SystemFile(path, descriptor)
        if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 { throw FileFailure("lock", path, errno) }
        return file
    }

    package func scratch(in directory: String, bytes: Int) throws(FileFailure) -> any ScratchMemory {
        let descriptor = try openNameless(in: directory)
        defer { close(descriptor) }
        let code = posix_fallocate(descriptor, 0, off_t(bytes))
        if code != 0 { throw FileFailure("allocate", directory, code) }
        let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let start, start != MAP_FAILED else { throw FileFailure("map", directory, errno) }
        // What is looked up there lies anywhere: reading ahead would read for nothing.
        madvise(start, bytes, MADV_RANDOM)
        return ScratchMapping(UnsafeMutableRawBufferPointer(start: start, count: bytes))
    }

    /// A file without a name, for reading and writing, which goes with its last reference.
    package func nameless(in directory: String) throws(FileFailure) -> any OpenFile {
        SystemFile(directory, try openNameless(in: directory))
    }

    private func openNameless(in directory: String) throws(FileFailure) -> Int32 {
        let nameless = retrying { pyra_open(directory, Int32(pyra_o_tmpfile) | O_RDWR | O_CLOEXEC, 0o600) }
        if nameless >= 0 { return nameless }
        // Some file systems cannot; there the name goes at once.
        guard errno == EOPNOTSUPP || errno == EISDIR else { throw FileFailure("open", directory, errno) }
        let path = "\(directory)/scratch-\(UInt64.random(in: 0...UInt64.max))"
        let named = retrying { pyra_open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600) }
        if named < 0 { throw FileFailure("open", path, errno) }
        if unlink(path) != 0 {
            defer { close(named) }
            throw FileFailure("remove", path, errno)
        }
        return named
    }

    package func freeBytes(at path: String) throws(FileFailure) -> Int {
        var figures = statvfs()
        if statvfs(path, &figures) != 0 { throw FileFailure("look at", path, errno) }
        let (bytes, overflow) = figures.f_bavail.multipliedReportingOverflow(by: UInt(figures.f_frsize))
        return overflow ? Int.max : Int(clamping: bytes)
    }
}

/// Tries again what a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}

private final class SystemFile: OpenFile {
    let path: String
    private let descriptor: Int32

    init(_ path: String, _ descriptor: Int32) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    func size() throws(FileFailure) -> Int {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw FileFailure("look at", path, errno) }
        return Int(status.st_size)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(FileFailure) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = retrying { pread(descriptor, rest.baseAddress, rest.count, off_t(position + done)) }
            if count < 0 { throw FileFailure("read", path, errno) }
            if count == 0 { throw FileFailure("read", path, FileFailure.endOfFile) }
            done += count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileFailure) {
        var done = 0
        while done < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
            let count = retrying { pwrite(descriptor, rest.baseAddress, rest.count, off_t(position + done)) }
            if count < 0 { throw FileFailure("write", path, errno) }
            if count == 0 { throw FileFailure("write", path, ENOSPC) }
            done += count
        }
    }

    func synchronise() throws(FileFailure) {
        if fdatasync(descriptor) != 0 { throw FileFailure("synchronise", path, errno) }
    }

    // Advice: a system that does not take it reads from memory.
    func forgetCached() { _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) }

    func map() throws(FileFailure) -> any MappedBytes {
        let count = try size()
        guard count > 0 else { return Mapping(UnsafeRawBufferPointer(start: nil, count: 0)) }
        let start = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let start, start != MAP_FAILED else { throw FileFailure("map", path, errno) }
        return Mapping(UnsafeRawBufferPointer(start: start, count: count))
    }
}

private final class Mapping: MappedBytes, @unchecked Sendable {
    // Sendable: the bytes are only read, and unmapped with the last reference.
    let bytes: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }
}

private final class ScratchMapping: ScratchMemory, @unchecked Sendable {
    // Sendable: the address never changes, and is unmapped with the last reference.
    let bytes: UnsafeMutableRawBufferPointer

    init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

    deinit { munmap(bytes.baseAddress, bytes.count) }
}
