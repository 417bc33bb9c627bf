import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Objects and stubs as bytes")
struct ArchiveFormatTests {
    let run = ArchiveRun()

    private func moved() throws -> (object: [UInt8], key: String, checkpoint: [UInt8]) {
        let harness = try run.start()
        let log = try run.log(harness)
        for number in 0..<60 { try log.put("key-\(number)", ArchiveRun.value(number)).wait() }
        try log.delete("key-7").wait()
        run.age(harness)
        harness.engine.stop()
        let key = try #require(run.store.keys.first)
        return (
            try #require(run.store.content(of: key)), key,
            try #require(run.disk.content(of: "/data/checkpoint"))
        )
    }

    private func index(_ bytes: some Collection<UInt8>) throws -> [ArchiveFormat.IndexEntry] {
        let buffer = ByteBuffer(bytes)
        return try withExtendedLifetime(buffer) { try ArchiveFormat.index(of: buffer.bytes) }.entries
    }

    private func checkpoint(_ bytes: [UInt8]) throws -> Checkpoint {
        let buffer = ByteBuffer(bytes)
        return try withExtendedLifetime(buffer) { try Checkpoint(decoding: buffer.bytes) }
    }

    @Test("an object says what is in it, each piece a whole batch with the checksum that it names")
    func index() throws {
        let object = ByteBuffer(try moved().object)
        let content = try ArchiveFormat.index(of: object.bytes)
        #expect(content.log.name == "log" && content.log.configuration.mode == .hybrid)
        let index = content.entries
        #expect(index.count > 1 && index.map(\.rows).reduce(0, +) >= 60)
        var next: Int64 = 0
        for entry in index {
            let piece = ByteBuffer(Array(object.bytes[entry.position..<entry.position + entry.bytes]))
            #expect(SegmentFormat.checksum(piece.bytes) == entry.checksum && entry.position % 64 == 0)
            let image = try BatchImage(decoding: piece.bytes)
            #expect(image.rows == entry.rows && image.base == entry.base && !image.isStub)
            #expect(entry.base >= next && entry.endOfRange == image.endOfRange && entry.partition == 0)
            next = entry.endOfRange
        }
    }

    @Test(
        "a changed or shortened object is refused, wherever it was changed but in a piece, and never a trap")
    func damaged() throws {
        let object = try moved().object
        let index = try self.index(object)
        let end = try #require(index.map { $0.position + $0.bytes }.max())
        for place in Array(0..<64) + Array(end..<object.count) {
            var bytes = object
            bytes[place] ^= 1
            // Padding means nothing.
            if let read = try? self.index(bytes) { #expect(read == index) }
        }
        for length in stride(from: 0, to: object.count, by: 13) {
            #expect(throws: (any Error).self) {
                try self.index(object.prefix(length))
            }
        }
        var later = object
        later[8] = 2
        let header = ByteBuffer(later)
        header.store(
            SegmentFormat.checksum(UnsafeRawBufferPointer(rebasing: header.bytes[0..<56])), at: 56)
        #expect(throws: UnknownVersion.self) { try ArchiveFormat.index(of: header.bytes) }
    }

    @Test("names are of numbers, and what is no such name is nobody's")
    func names() throws {
        let key = try moved().key
        let parts = key.split(separator: "/")
        let space = try #require(UInt64(parts[0], radix: 16))
        let id = try #require(ArchiveFormat.id(ofKey: key, space: space, location: 0))
        #expect(ArchiveFormat.key(id, space: space) == key)
        for other in [
            "", "/", key + "x", "x" + key, key.uppercased() + "A", String(key.dropLast(4)), "a/b/c.arc",
        ] {
            #expect(ArchiveFormat.id(ofKey: other, space: space, location: 0) == nil, "\(other)")
        }
        #expect(ArchiveFormat.id(ofKey: key, space: space &+ 1, location: 0) == nil)
    }

    @Test("a checkpoint with an archive is version 2 and comes back as the same bytes; any change is refused")
    func checkpoint() throws {
        let bytes = try moved().checkpoint
        #expect(bytes[8] == 2)
        let checkpoint = try self.checkpoint(bytes)
        #expect(checkpoint.encode().array == bytes)
        #expect(checkpoint.archive?.locations == [ArchiveRun.location])
        let archived = checkpoint.images.compactMap(\.archived)
        #expect(archived.count > 1 && Set(archived.map(\.object)).count == 1)
        for place in 0..<bytes.count {
            var changed = bytes
            changed[place] ^= 0x40
            #expect(throws: (any Error).self) { try self.checkpoint(changed) }
        }
    }

    @Test("a directory without an archive is written as it always was")
    func withoutArchive() throws {
        let harness = try run.start()
        _ = try harness.log()
        try harness.engine.checkpoint()
        harness.engine.stop()
        #expect(run.disk.content(of: "/data/checkpoint")?[8] == 1)
    }

    @Test("a flipped bit in a stub is found at the start, and by a check")
    func damagedStub() throws {
        _ = try moved()
        let path = try #require(run.disk.paths.last { $0.hasSuffix(".seg") })
        var content = try #require(run.disk.content(of: path))
        content[100] ^= 1
        run.disk.put(path, content)
        #expect(throws: StorageFailure.self) { try run.start() }
        let directory = try DataDirectory(FaultRun.path, files: run.disk, walFileBytes: FaultRun.walFileBytes)
        let check = try DirectoryCheck(directory)
        #expect(check.damage.contains { $0.path == path })
        directory.release()
    }
}
