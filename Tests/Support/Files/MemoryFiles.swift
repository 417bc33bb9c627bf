import Glibc
import Platform

/// Files in memory, on a disk that can lose its power.
///
/// What a file holds is durable up to its last synchronisation; sectors written since are on the disk or not, in any order.
/// A name is durable once its directory was synchronised; until then making, renaming and removing it may be undone.
/// After a loss of power files that were open answer with an error, as those of a process that is gone.
package final class MemoryFiles: FileSystem {
    static let sectorBytes = 512
    package static let bootIDPath = "/proc/sys/kernel/random/boot_id"

    let state: Lock<Disk>

    package init() { state = Lock(Disk()) }
    init(_ disk: consuming Disk) { state = Lock(disk) }

    /// The same disk, from here on for itself. Locks are free: the process that held them is another.
    package func clone() -> MemoryFiles { MemoryFiles(state.withLock { $0.copy() }) }

    /// What is left when the power goes now.
    package func afterPowerCut(seed: UInt64) -> MemoryFiles {
        var disk = state.withLock { $0.copy() }
        disk.cutPower(seed: seed)
        return MemoryFiles(disk)
    }

    /// What is left when the system drops what it could not write, and goes on.
    package func afterLostPages(seed: UInt64) -> MemoryFiles {
        var disk = state.withLock { $0.copy() }
        disk.cutPower(seed: seed, isBoot: false)
        return MemoryFiles(disk)
    }

    // MARK: For tests

    /// All files, by path.
    package var paths: [String] { state.withLock { $0.names.keys.sorted() } }

    package func content(of path: String) -> [UInt8]? {
        state.withLock { $0.names[path]?.content }
    }

    /// Puts a file there, durable.
    package func put(_ path: String, _ content: [UInt8]) {
        state.withLock { disk in
            let node = Disk.Node(content: content)
            disk.names[path] = node
            disk.durableNames[path] = node
        }
    }

    package func take(_ path: String) {
        state.withLock { disk in
            disk.names[path] = nil
            disk.durableNames[path] = nil
        }
    }

    // MARK: FileSystem

    package func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> any OpenFile {
        let node = try state.withLock { disk throws(FileFailure) -> Disk.Node in
            if path == Self.bootIDPath { return Disk.Node(content: disk.bootID) }
            switch (disk.names[path], access) {
            case (let node?, .read), (let node?, .write): return node
            case (nil, .create):
                guard disk.directories.contains(Disk.parent(path)) else {
                    throw FileFailure("open", path, ENOENT)
                }
                let node = Disk.Node()
                disk.change(.make(path, node))
                return node
            case (_?, .create): throw FileFailure("open", path, EEXIST)
            case (nil, _): throw FileFailure("open", path, ENOENT)
            }
        }
        return MemoryFile(path, node, self)
    }

    package func makeDirectory(_ path: String) throws(FileFailure) {
        try state.withLock { disk throws(FileFailure) in
            if disk.directories.contains(path) { return }
            guard disk.directories.contains(Disk.parent(path)) else {
                throw FileFailure("make directory", path, ENOENT)
            }
            disk.change(.makeDirectory(path))
        }
    }

    package func list(_ path: String) throws(FileFailure) -> [String] {
        try state.withLock { disk throws(FileFailure) in
            guard disk.directories.contains(path) else { throw FileFailure("list", path, ENOENT) }
            return disk.names.keys.filter { Disk.parent($0) == path }.map {
                String($0.dropFirst(path.utf8.count + 1))
            }
        }
    }

    package func exists(_ path: String) -> Bool {
        state.withLock { $0.names[path] != nil || $0.directories.contains(path) }
    }

    package func rename(_ path: String, to target: String) throws(FileFailure) {
        try state.withLock { disk throws(FileFailure) in
            guard let node = disk.names[path] else { throw FileFailure("rename", path, ENOENT) }
            disk.change(.rename(path, target, node))
        }
    }

    package func remove(_ path: String) throws(FileFailure) {
        try state.withLock { disk throws(FileFailure) in
            guard disk.names[path] != nil else { throw FileFailure("remove", path, ENOENT) }
            disk.change(.remove(path))
        }
    }

    package func synchroniseDirectory(_ path: String) throws(FileFailure) {
        try state.withLock { disk throws(FileFailure) in
            guard disk.directories.contains(path) else { throw FileFailure("synchronise", path, ENOENT) }
            disk.synchroniseDirectory(path)
        }
    }

    package func lock(_ path: String) throws(FileFailure) -> any OpenFile {
        let node = try state.withLock { disk throws(FileFailure) -> Disk.Node in
            guard disk.locks.insert(path).inserted else { throw FileFailure("lock", path, EWOULDBLOCK) }
            let node = disk.names[path] ?? Disk.Node()
            if disk.names[path] == nil { disk.change(.make(path, node)) }
            return node
        }
        return MemoryFile(path, node, self, isLock: true)
    }

    package func freeBytes(at path: String) throws(FileFailure) -> Int { 1 << 40 }

    package func scratch(in directory: String, bytes: Int) throws(FileFailure) -> any ScratchMemory {
        MemoryScratch(bytes: bytes)
    }
}

private final class MemoryScratch: ScratchMemory, @unchecked Sendable {
    // Sendable: the address never changes.
    let bytes: UnsafeMutableRawBufferPointer

    init(bytes count: Int) {
        bytes = .allocate(byteCount: count, alignment: 4096)
        bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }

    deinit { bytes.deallocate() }
}

private final class MemoryFile: OpenFile {
    let path: String
    private let node: Disk.Node
    private let files: MemoryFiles
    private let isLock: Bool

    init(_ path: String, _ node: Disk.Node, _ files: MemoryFiles, isLock: Bool = false) {
        self.path = path
        self.node = node
        self.files = files
        self.isLock = isLock
    }

    deinit {
        if isLock { files.state.withLock { _ = $0.locks.remove(path) } }
    }

    func size() throws(FileFailure) -> Int { files.state.withLock { _ in node.content.count } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(FileFailure) {
        try files.state.withLock { _ throws(FileFailure) in
            guard position >= 0, position + buffer.count <= node.content.count else {
                throw FileFailure("read", path, FileFailure.endOfFile)
            }
            node.content.withUnsafeBytes { content in
                buffer.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: content[position..<position + buffer.count]))
            }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileFailure) {
        files.state.withLock { _ in node.write(Array(bytes), at: position) }
    }

    func synchronise() throws(FileFailure) { files.state.withLock { _ in node.synchronise() } }

    func map() throws(FileFailure) -> any MappedBytes {
        let content = files.state.withLock { _ in node.content }
        return MemoryMapping(content)
    }
}

private final class MemoryMapping: MappedBytes {
    private let buffer: ByteBuffer
    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    init(_ content: [UInt8]) { buffer = ByteBuffer(content) }
}
