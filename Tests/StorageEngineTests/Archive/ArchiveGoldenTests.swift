import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("A directory with an archive as the first server wrote it")
struct ArchiveGoldenTests {
    /// Where its objects are kept beside its files.
    private static let objects = "/data/objects/"

    private func write() throws {
        let run = ArchiveRun()
        let harness = try run.start()
        let log = try run.log(harness) { $0.partitions = 2 }
        for number in 0..<8 { try log.put("key-\(number)", "{\"number\":\(number)}").wait() }
        let extras = RecordExtras(contentType: "text/own", headers: [.init(name: "name", value: "v")])
        try log.put("own", "text") { options in
            options.type = .other
            options.extras = extras.encoded()
            options.expiry = .at(milliseconds: 1_800_000_000_000)
        }.wait()
        try log.put("key-1", "\"again\"").wait()
        try log.delete("key-2").wait()
        run.age(harness)
        try log.put("hot", "1").wait()
        harness.engine.stop()
        for key in run.store.keys { run.disk.put(Self.objects + key, run.store.content(of: key) ?? []) }
        try GoldenFiles.write(run.disk, version: 2)
    }

    @Test("it stays readable for ever, and goes on being written to")
    func readable() throws {
        if GoldenFiles.isWriting { try write() }
        let disk = try GoldenFiles.read(version: 2)
        let store = MemoryArchive()
        for path in disk.paths where path.hasPrefix(Self.objects) {
            store.set(String(path.dropFirst(Self.objects.count)), disk.content(of: path))
            disk.take(path)
        }
        #expect(store.keys.count == 2)
        let run = ArchiveRun(disk: disk, store: store)
        let harness = try run.start()
        defer { harness.engine.stop() }
        let log = try #require(harness.existing())
        #expect(log.archivedBatches > 1)
        #expect(log.keyCount == 9)
        let expected: [String: String?] = [
            "key-0": "{\"number\":0}", "key-1": "\"again\"", "key-2": nil, "key-7": "{\"number\":7}",
            "own": "text",
            "hot": "1",
        ]
        for (key, value) in expected { #expect(log.get(key) == value, "\(key)") }
        let found = try log.get(key: Array("own".utf8).span.bytes)
        #expect(
            found?.extras == RecordExtras(contentType: "text/own", headers: [.init(name: "name", value: "v")])
        )
        #expect(found?.deadline == 1_800_000_000_000)
        try log.put("more", ArchiveRun.value(1)).wait()
        run.age(harness)
        #expect(log.get("more") == ArchiveRun.value(1) && store.keys.count > 2)
    }
}
