import Platform

/// The layout of an object: a header, images of batches at multiples of 64, an index of them, a trailer.
/// `docs/formats/archive.md` draws it.
enum ArchiveFormat {
    static let magic: UInt64 = 0x3143_5241_4152_5950  // "PYRAARC1"
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let trailerBytes = 64
    static let alignment = 64
    /// One is closed before it has more, unless a single batch does.
    static let objectBytesMax = 64 << 20
    private static let suffix = ".arc"

    struct IndexEntry: Equatable {
        let partition: Int
        let rows: Int
        let base: Int64
        let endOfRange: Int64
        let position: Int
        let bytes: Int
        let checksum: UInt64
    }

    /// `<space>/<log>/<number>.arc`, each in sixteen hexadecimal digits: nothing in it is text of a user.
    static func key(_ id: ArchiveObjectID, space: UInt64) -> String {
        "\(prefix(space))\(hexadecimal(id.log.rawValue))/\(hexadecimal(id.number))\(suffix)"
    }

    /// Of all objects of a data directory.
    static func prefix(_ space: UInt64) -> String { "\(hexadecimal(space))/" }

    /// Nil for what no server has named so.
    static func id(ofKey key: String, space: UInt64, location: Int) -> ArchiveObjectID? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == hexadecimal(space), parts[2].hasSuffix(suffix),
            let log = UInt64(parts[1], radix: 16),
            let number = UInt64(parts[2].dropLast(suffix.count), radix: 16)
        else { return nil }
        let id = ArchiveObjectID(location: location, log: LogID(rawValue: log), number: number)
        return Self.key(id, space: space) == key ? id : nil
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    // MARK: Writing

    static func encodeHeader(_ id: ArchiveObjectID, to buffer: ByteBuffer) {
        buffer.append(magic)
        buffer.append(version)
        buffer.append(UInt32(0))
        buffer.append(id.log.rawValue)
        buffer.append(id.number)
        buffer.appendZeros(headerBytes - 8 - buffer.count)
        buffer.append(SegmentFormat.checksum(buffer.bytes))
    }

    /// Behind the last piece.
    static func finish(_ index: [IndexEntry], _ id: ArchiveObjectID, _ buffer: ByteBuffer) {
        let position = buffer.count
        for entry in index {
            buffer.append(UInt32(entry.partition))
            buffer.append(UInt32(entry.rows))
            buffer.append(entry.base)
            buffer.append(entry.endOfRange)
            buffer.append(UInt64(entry.position))
            buffer.append(UInt64(entry.bytes))
            buffer.append(entry.checksum)
        }
        let indexBytes = buffer.count - position
        let digest = SegmentFormat.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[position...]))
        buffer.pad(to: alignment)
        let start = buffer.count
        buffer.append(UInt64(position))
        buffer.append(UInt64(indexBytes))
        buffer.append(digest)
        buffer.append(id.number)
        buffer.append(magic)
        buffer.appendZeros(trailerBytes - 8 - (buffer.count - start))
        buffer.append(SegmentFormat.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...])))
    }

    // MARK: Reading

    /// What is in a whole object. Total. - Throws: `Malformed`, `UnknownVersion`.
    static func index(of bytes: UnsafeRawBufferPointer) throws -> [IndexEntry] {
        guard bytes.count >= headerBytes + trailerBytes else { throw BinaryReader.Malformed() }
        let header = try covered(bytes.prefix(headerBytes))
        var fields = BinaryReader(header)
        guard try fields.integer(UInt64.self) == magic else { throw BinaryReader.Malformed() }
        let version = try fields.integer(UInt32.self)
        guard version == Self.version, try fields.integer(UInt32.self) == 0 else {
            throw UnknownVersion(version: version)
        }
        _ = try fields.integer(UInt64.self)
        let number = try fields.integer(UInt64.self)
        let trailer = try covered(bytes.suffix(trailerBytes))
        var end = BinaryReader(trailer)
        let position = try end.count()
        let count = try end.count()
        let digest = try end.integer(UInt64.self)
        guard try end.integer(UInt64.self) == number, try end.integer(UInt64.self) == magic,
            position <= bytes.count, count <= bytes.count - position
        else { throw BinaryReader.Malformed() }
        let content = UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
        guard SegmentFormat.checksum(content) == digest else { throw BinaryReader.Malformed() }
        return try entries(content, before: position)
    }

    private static func entries(
        _ content: UnsafeRawBufferPointer, before end: Int
    ) throws(BinaryReader.Malformed) -> [IndexEntry] {
        var reader = BinaryReader(content)
        var entries: [IndexEntry] = []
        while reader.remaining > 0 {
            let entry = IndexEntry(
                partition: Int(try reader.integer(UInt32.self)), rows: Int(try reader.integer(UInt32.self)),
                base: Int64(try reader.count()), endOfRange: Int64(try reader.count()),
                position: try reader.count(), bytes: try reader.count(), checksum: try reader.integer())
            guard entry.position <= end, entry.bytes <= end - entry.position else { throw .init() }
            entries.append(entry)
        }
        return entries
    }

    /// Without the checksum behind it, which is right.
    private static func covered(
        _ bytes: Slice<UnsafeRawBufferPointer>
    ) throws(BinaryReader.Malformed) -> UnsafeRawBufferPointer {
        let all = UnsafeRawBufferPointer(rebasing: bytes)
        let covered = UnsafeRawBufferPointer(rebasing: all.dropLast(8))
        let checksum = all.loadUnaligned(fromByteOffset: covered.count, as: UInt64.self)
        guard UInt64(littleEndian: checksum) == SegmentFormat.checksum(covered) else { throw .init() }
        return covered
    }
}
