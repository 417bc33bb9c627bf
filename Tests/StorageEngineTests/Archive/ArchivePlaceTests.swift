import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Several names of one place of an archive")
struct ArchivePlaceTests {
    /// The same objects under another name, as behind a link.
    private struct Link: ArchiveStore {
        let base: MemoryArchive
        let location: String
        func put(_ key: String, _ bytes: ByteBuffer) throws(ArchiveFailure) { try base.put(key, bytes) }
        func get(_ key: String, _ range: Range<Int>) throws(ArchiveFailure) -> ByteBuffer {
            try base.get(key, range)
        }
        func list(_ prefix: String) throws(ArchiveFailure) -> [String] { try base.list(prefix) }
        func delete(_ key: String) throws(ArchiveFailure) { try base.delete(key) }
    }

    /// Two logs, each with a name of its own for the place; the objects of both stay, also after restarts.
    /// - Returns: how many places the checkpoint has.
    private func live(_ second: String, in run: ArchiveRun, _ open: @escaping OpenArchive) throws -> Int? {
        let harness = try run.start { $0.openArchive = open }
        let first = try run.log(harness, "first")
        try first.put("key", ArchiveRun.value(1)).wait()
        run.age(harness)
        let other = try run.log(harness, "other") { $0.hybrid.s3Archive = second }
        try other.put("key", ArchiveRun.value(2)).wait()
        run.age(harness)
        let places = harness.engine.services.archive.space?.locations.count
        for round in 0..<3 {
            for _ in 0..<2 {
                try harness.engine.checkpoint()
                harness.engine.archiveDue()
            }
            #expect(run.store.keys.count == 2, "round \(round)")
            for (name, number) in [("first", 1), ("other", 2)] {
                #expect(harness.engine.log(named: name)?.get("key") == ArchiveRun.value(number), "\(name)")
            }
            harness.engine.stop()
            if round < 2 { try harness.reopen() }
        }
        return places
    }

    @Test("spellings are one place: no object goes that a log needs")
    func spellings() throws {
        let run = ArchiveRun()
        let stores = ["store:one": run.store, "store:one/": run.store]
        #expect(try live("store:one/", in: run, stores.open) == 1)
    }

    @Test("nor does one where two places turn out to be the same")
    func links() throws {
        let run = ArchiveRun()
        let store = run.store
        let places = try live("store:link", in: run) { location in
            if location == "store:link" { return Link(base: store, location: location) }
            return store
        }
        #expect(places == 2)
    }
}
