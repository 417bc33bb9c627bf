import Foundation
import Platform
import Support
import Testing

@testable import ObjectStorage

@Suite("Objects in a directory")
struct DirectoryStoreTests {
    let directory = TemporaryDirectory()
    var store: DirectoryStore { DirectoryStore(directory.path + "/top") }

    @Test(
        "what is put is got, whole and in ranges, and is gone when it is deleted",
        arguments: [0, 1, 3_000_001])
    func roundTrip(length: Int) throws {
        let bytes = pattern(length)
        #expect(try store.size(of: "a/b") == nil)
        #expect(try store.keys() == [])
        try store.put("a/b", ObjectSource(bytes: [9]))
        try store.put("a/b", ObjectSource(bytes: bytes))
        #expect(try store.size(of: "a/b") == length)
        #expect(try store.whole("a/b") == bytes)
        if length > 10 {
            #expect(try store.whole("a/b", range: 5..<length - 1) == Array(bytes[5..<length - 1]))
        }
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.whole("a/b", range: 0..<length + 1)
        }
        #expect(failure?.kind == .corrupt)
        try store.delete("a/b")
        try store.delete("a/b")
        let missing = #expect(throws: ObjectStoreFailure.self) { try store.whole("a/b") }
        #expect(missing?.kind == .notFound)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path + "/top/a") == [])
    }

    @Test("a list is in the order of the bytes of whole keys, and shows nothing unfinished")
    func list() throws {
        let keys = ["a", "b-c", "b/1", "b/2/x", "b0", "e\u{301}", "é", "z/Ä", "z/a b"].sorted(
            by: ObjectKey.precedes)
        for key in keys.shuffled() { try store.put(key, ObjectSource(bytes: Array(key.utf8))) }
        _ = FileManager.default.createFile(
            atPath: directory.path + "/top/b/.pyralog-put-1", contents: Data("x".utf8))
        func listed(_ prefix: String) throws -> [[UInt8]] { try store.keys(prefix).map { Array($0.utf8) } }
        func expected(_ prefix: String) -> [[UInt8]] {
            keys.map { Array($0.utf8) }.filter { $0.starts(with: prefix.utf8) }
        }
        #expect(expected("").count == keys.count)
        for prefix in ["", "b", "b/", "b/2", "b/2/x", "z/a", "none", "none/none"] {
            #expect(try listed(prefix) == expected(prefix), "\(prefix)")
        }
        try store.list(prefix: "z/a b") { #expect($0.allSatisfy { $0.bytes == 5 && $0.modified ?? 0 > 0 }) }
        for prefix in ["/", "../", "b/../", "b//"] {
            #expect(throws: ObjectStoreFailure.self) { try store.keys(prefix) }
        }
    }

    @Test("neither a key nor a symbolic link leads out of the directory")
    func confinement() throws {
        let files = FileManager.default
        try files.createDirectory(atPath: directory.path + "/outside", withIntermediateDirectories: true)
        try Data("secret".utf8).write(to: URL(filePath: directory.path + "/outside/file"))
        try store.put("a", ObjectSource(bytes: [1]))
        try files.createSymbolicLink(atPath: directory.path + "/top/link", withDestinationPath: "../outside")
        try files.createSymbolicLink(
            atPath: directory.path + "/top/name", withDestinationPath: "../outside/file")
        for key in ["link/file", "name"] {
            #expect(try store.size(of: key) == nil)
            #expect(throws: ObjectStoreFailure.self) { try store.whole(key) }
            try store.delete(key)
        }
        for key in ["../outside/file", "/etc/hostname", "a/../../outside/file"] {
            let failure = #expect(throws: ObjectStoreFailure.self) {
                try store.put(key, ObjectSource(bytes: []))
            }
            #expect(failure?.kind == .invalid)
        }
        for key in ["link/new", "link/new/deep", "a/below"] {
            let failure = #expect(throws: ObjectStoreFailure.self) {
                try store.put(key, ObjectSource(bytes: []))
            }
            #expect(failure?.kind == .invalid)
        }
        #expect(try store.keys() == ["a"])
        #expect(try files.contentsOfDirectory(atPath: directory.path + "/outside") == ["file"])
        // A link in the place of an object is replaced, not followed.
        try store.put("name", ObjectSource(bytes: [2]))
        #expect(files.contents(atPath: directory.path + "/outside/file") == Data("secret".utf8))
        #expect(try store.whole("name") == [2])
    }

    @Test(
        "whatever call fails, the key has its old object or its new one, and no other is seen",
        arguments: [EIO, ENOSPC])
    func failingCalls(code: Int32) throws {
        let (old, new) = (pattern(700, seed: 1), pattern(1_100_000, seed: 2))
        for number in 1...40 {
            let disk = MemoryFiles()
            try disk.makeDirectory("/data")
            try DirectoryStore("/data", files: disk).put("x/k", ObjectSource(bytes: old))
            var plan = FaultyFiles.Plan()
            plan.at = number
            plan.code = code
            plan.calls = Set(FileCall.allCases)
            plan.shortensWrites = true
            let files = FaultyFiles(disk, plan)
            let store = DirectoryStore("/data", files: files)
            var isDone = false
            do {
                try store.put("x/k", ObjectSource(bytes: new))
                try store.put("y/k", ObjectSource(bytes: new))
                isDone = true
            } catch {
                #expect(error.kind == .files)
                #expect((error.cause as? FileFailure)?.isNoSpace == (code == ENOSPC))
            }
            let wasReached = files.hasFailed
            let after = DirectoryStore("/data", files: disk)
            let found = try after.whole("x/k")
            #expect(found == new || (found == old && !isDone), "call \(number)")
            if let other = try after.size(of: "y/k") { #expect(other == new.count) }
            #expect(disk.paths.allSatisfy { !$0.contains(ObjectKey.temporaryPrefix) } || !isDone)
            if !wasReached {
                #expect(isDone && number > 10)
                return
            }
        }
        Issue.record("forty calls were not enough")
    }

    @Test("an object that was stored outlives a loss of power", arguments: 1...8)
    func powerCut(seed: UInt64) throws {
        let disk = MemoryFiles()
        try disk.makeDirectory("/data")
        try disk.synchroniseDirectory("/")
        try DirectoryStore("/data", files: disk).put("a/b/c", ObjectSource(bytes: pattern(5000)))
        let after = DirectoryStore("/data", files: disk.afterPowerCut(seed: seed))
        #expect(try after.whole("a/b/c") == pattern(5000))
    }

    @Test("a disk that gives back other bytes than it was given is found out, and the key stays as it was")
    func lyingDisk() throws {
        let disk = MemoryFiles()
        try disk.makeDirectory("/data")
        let store = DirectoryStore("/data", files: LyingFiles(disk))
        let failure = #expect(throws: ObjectStoreFailure.self) {
            try store.put("k", ObjectSource(bytes: pattern(10)))
        }
        #expect(failure?.kind == .corrupt)
        #expect(disk.paths.filter { $0.hasPrefix("/data") } == [])
    }

    @Test("whose failure it is can be told: the source's, the receiver's, and cancelling")
    func failures() throws {
        struct Broken: Error {}
        let source = #expect(throws: ObjectStoreFailure.self) {
            try store.put("k", ObjectSource(length: 10) { _, _ in throw Broken() })
        }
        #expect(source?.kind == .source && source?.cause is Broken)
        try store.put("k", ObjectSource(bytes: [1]))
        let receiver = #expect(throws: ObjectStoreFailure.self) {
            try store.get("k", range: nil) { _ in throw Broken() }
        }
        #expect(receiver?.kind == .receiver && receiver?.cause is Broken)
        let cancelled = #expect(throws: ObjectStoreFailure.self) {
            try store.cancelled { true }.put("k", ObjectSource(bytes: [2]))
        }
        #expect(cancelled?.kind == .cancelled)
        #expect(try store.whole("k") == [1])
    }
}

/// Flips a bit of all that is read.
private struct LyingFiles: FileSystem {
    let base: MemoryFiles

    init(_ base: MemoryFiles) { self.base = base }

    func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> any OpenFile {
        LyingFile(try base.open(path, access))
    }
    func makeDirectory(_ path: String) throws(FileFailure) { try base.makeDirectory(path) }
    func list(_ path: String) throws(FileFailure) -> [String] { try base.list(path) }
    func exists(_ path: String) -> Bool { base.exists(path) }
    func rename(_ path: String, to target: String) throws(FileFailure) { try base.rename(path, to: target) }
    func remove(_ path: String) throws(FileFailure) { try base.remove(path) }
    func synchroniseDirectory(_ path: String) throws(FileFailure) { try base.synchroniseDirectory(path) }
    func lock(_ path: String) throws(FileFailure) -> any OpenFile { try base.lock(path) }
    func freeBytes(at path: String) throws(FileFailure) -> Int { try base.freeBytes(at: path) }
    func scratch(in directory: String, bytes: Int) throws(FileFailure) -> any ScratchMemory {
        try base.scratch(in: directory, bytes: bytes)
    }
}

private final class LyingFile: OpenFile {
    let base: any OpenFile

    init(_ base: any OpenFile) { self.base = base }

    var path: String { base.path }
    func size() throws(FileFailure) -> Int { try base.size() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int) throws(FileFailure) {
        try base.read(into: buffer, at: position)
        if !buffer.isEmpty { buffer[buffer.count / 2] ^= 1 }
    }
    func write(_ bytes: UnsafeRawBufferPointer, at position: Int) throws(FileFailure) {
        try base.write(bytes, at: position)
    }
    func synchronise() throws(FileFailure) { try base.synchronise() }
    func map() throws(FileFailure) -> any MappedBytes { try base.map() }
}
