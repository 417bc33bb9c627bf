import Platform
import StorageEngine
import Support
import Testing

/// A hybrid log with an archive, on a disk and in a store in memory.
struct ArchiveRun {
    static let diskAfter: Int64 = 1_000
    static let memoryTTL: Int64 = 2_000
    static let archiveAfter: Int64 = 5_000
    static let location = "store:one"

    let disk: MemoryFiles
    let store: MemoryArchive
    let clock: Clock
    let others: [String: MemoryArchive]

    init(
        disk: MemoryFiles = MemoryFiles(), store: MemoryArchive = MemoryArchive(),
        clock: Clock = Clock(frozenAt: 1_700_000_000_000), others: [String: MemoryArchive] = [:]
    ) {
        self.disk = disk
        self.store = store
        self.clock = clock
        self.others = others
    }

    func start(
        _ files: (any FileSystem)? = nil, _ change: @escaping (inout EngineConfiguration) -> Void = { _ in }
    ) throws -> DurableHarness {
        let stores = others.merging([Self.location: store]) { $1 }
        return try DurableHarness(
            FaultRun.path, files: files ?? disk, clock: clock, walFileBytes: FaultRun.walFileBytes
        ) { configuration in
            configuration.openArchive = stores.open
            change(&configuration)
        }
    }

    func log(
        _ harness: DurableHarness, _ name: String = "log",
        _ change: (inout LogConfiguration) -> Void = { _ in }
    ) throws -> Log {
        try harness.log(name) { configuration in
            Self.configure(&configuration)
            change(&configuration)
        }
    }

    static func configure(_ configuration: inout LogConfiguration) {
        configuration.mode = .hybrid
        configuration.compaction = .keys
        configuration.durability.acknowledgement = .memory
        configuration.hybrid.diskAfterMilliseconds = diskAfter
        configuration.hybrid.memoryTTLMilliseconds = memoryTTL
        configuration.hybrid.s3Archive = location
        configuration.hybrid.s3AfterMilliseconds = archiveAfter
    }

    /// All there is goes to the disk, out of memory, and into the archive if it can.
    func age(_ harness: DurableHarness) { age(harness.engine) }

    func age(_ engine: Engine) {
        clock.advance(milliseconds: Self.archiveAfter + 1)
        // A test may have made the disk fail.
        try? engine.checkpoint()
        for _ in 0..<2 {
            clock.advance(milliseconds: 200)
            engine.maintainDue()
        }
        // The location has to be in a checkpoint before anything goes there.
        for _ in 0..<2 { engine.archiveDue() }
    }

    /// One that is long enough to be found in files.
    static func value(_ number: Int) -> String {
        "\"value-\(number)-" + String(repeating: "v", count: 300) + "\""
    }

    /// Whether a value lies in any file of the disk.
    func isOnDisk(_ value: String) -> Bool {
        let wanted = Array(value.utf8)
        return disk.paths.contains { path in
            guard path.hasSuffix(".seg"), let content = disk.content(of: path) else { return false }
            return Self.contains(content, wanted)
        }
    }

    func isInStore(_ value: String) -> Bool {
        store.keys.contains { Self.contains(store.content(of: $0) ?? [], Array(value.utf8)) }
    }

    private static func contains(_ content: [UInt8], _ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, content.count >= wanted.count else { return false }
        return (0...content.count - wanted.count).contains { place in
            content[place] == first && content[place..<place + wanted.count].elementsEqual(wanted)
        }
    }
}

extension Log {
    /// What reading a key throws.
    func failure(_ key: String) -> EngineError? {
        do throws(EngineError) {
            _ = try get(key: Array(key.utf8).span.bytes)
            return nil
        } catch {
            return error
        }
    }

    var archivedBatches: Int { statistics().reduce(0) { $0 + $1.archivedBatches } }
}
