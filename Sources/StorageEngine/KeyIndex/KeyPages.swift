import Platform
import Synchronization

/// Where the pages of a key table come from: `SlabPool.indexSlabBytes` each, with unspecified content.
protocol KeyPages: AnyObject, Sendable {
    /// They are the system's to keep in memory or not, and are not counted as memory.
    var areOnDisk: Bool { get }
    /// Under a partition's lock. - Returns: nil when there is none at hand.
    func take() -> UnsafeMutableRawPointer?
    func give(_ page: UnsafeMutableRawPointer)
}

extension SlabPool: KeyPages {
    var areOnDisk: Bool { false }
    func take() -> UnsafeMutableRawPointer? { allocate(bytes: Self.indexSlabBytes) }
    func give(_ page: UnsafeMutableRawPointer) { free(page, bytes: Self.indexSlabBytes) }
}

/// Pages in files without a name, which the system writes out when it wants the memory for something else.
///
/// Nothing in them is needed after the process: they are never synchronised, and are gone with it. Thread-safe.
final class DiskKeyPages: KeyPages {
    /// Of each file; it goes once none of its pages is in use.
    static let fileBytes = 16 << 20
    private static let pagesPerFile = fileBytes / SlabPool.indexSlabBytes

    private struct File {
        let memory: any ScratchMemory
        var free: [UnsafeMutableRawPointer]

        func contains(_ page: UnsafeMutableRawPointer) -> Bool {
            guard let start = memory.bytes.baseAddress else { return false }
            return page >= start && page < start + memory.bytes.count
        }
    }

    private let files: any FileSystem
    private let directory: String
    private let state = Lock<[File]>([])
    private let refused = Atomic<Bool>(false)
    private let limit: DiskLimit

    init(directory: String, files: any FileSystem, limit: DiskLimit) {
        self.directory = directory
        self.limit = limit
        self.files = files
    }

    var areOnDisk: Bool { true }
    /// Of all its files.
    var fileBytes: Int { state.withLock { $0.count } * Self.fileBytes }

    /// Has so many at hand, unless others take them; may wait for the disk.
    /// - Throws: why there is no other file, the first time; afterwards, until there is one, there are just no pages.
    func prepare(_ pages: Int) throws(FileFailure) {
        do throws(FileFailure) {
            while state.withLock({ $0.reduce(0) { $0 + $1.free.count } }) < pages { try makeFile() }
            refused.store(false, ordering: .relaxed)
        } catch {
            if !refused.exchange(true, ordering: .relaxed) { throw error }
        }
    }

    private func makeFile() throws(FileFailure) {
        try limit.check(Self.fileBytes, at: directory)
        let memory = try files.scratch(in: directory, bytes: Self.fileBytes)
        guard let start = memory.bytes.baseAddress else { throw .noSpace(directory) }
        let free = (0..<Self.pagesPerFile).reversed().map { start + $0 * SlabPool.indexSlabBytes }
        state.withLock { $0.append(File(memory: memory, free: free)) }
    }

    func take() -> UnsafeMutableRawPointer? {
        state.withLock { files in
            // The oldest first, so that later ones empty.
            guard let index = files.firstIndex(where: { !$0.free.isEmpty }) else { return nil }
            return files[index].free.popLast()
        }
    }

    func give(_ page: UnsafeMutableRawPointer) {
        // Unmapped outside the lock.
        let emptied: File? = state.withLock { files in
            guard let index = files.firstIndex(where: { $0.contains(page) }) else { return nil }
            files[index].free.append(page)
            return files[index].free.count == Self.pagesPerFile ? files.remove(at: index) : nil
        }
        withExtendedLifetime(emptied) {}
    }
}
