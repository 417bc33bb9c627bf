import Platform

/// The layout of an object: a header, images of batches at multiples of 64, an index of them with what their log is, a trailer.
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
        /// Of the rows, the earliest and the latest.
        let timestamps: ClosedRange<Int64>
    }

    struct Index: Equatable {
        /// As the log was when the object was written.
        let log: LogDescription
        let entries: [IndexEntry]
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
    static func finish(_ index: Index, _ id: ArchiveObjectID, _ buffer: ByteBuffer) {
        let position = buffer.count
        index.log.encode(to: buffer)
        for entry in index.entries {
            buffer.append(UInt32(entry.partition))
            buffer.append(UInt32(entry.rows))
            buffer.append(entry.base)
            buffer.append(entry.endOfRange)
            buffer.append(UInt64(entry.position))
            buffer.append(UInt64(entry.bytes))
            buffer.append(entry.checksum)
            buffer.append(entry.timestamps.lowerBound)
            buffer.append(entry.timestamps.upperBound)
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

    /// Where the index lies, and what its checksum is.
    struct Trailer {
        let index: Range<Int>
        fileprivate let digest: UInt64
        fileprivate let number: UInt64

        /// - Parameters:
        ///   - bytes: the last ones of an object.
        ///   - objectBytes: how many it has in all.
        init(decoding bytes: UnsafeRawBufferPointer, objectBytes: Int) throws(BinaryReader.Malformed) {
            guard bytes.count == trailerBytes else { throw .init() }
            var fields = BinaryReader(try ArchiveFormat.covered(bytes[...]))
            let position = try fields.count()
            let count = try fields.count()
            digest = try fields.integer()
            number = try fields.integer()
            guard try fields.integer(UInt64.self) == magic, position <= objectBytes,
                count <= objectBytes - position
            else { throw .init() }
            index = position..<position + count
        }
    }

    /// What is in a whole object. Total. - Throws: `Malformed`, `UnknownVersion`.
    static func index(of bytes: UnsafeRawBufferPointer) throws -> Index {
        guard bytes.count >= headerBytes + trailerBytes else { throw BinaryReader.Malformed() }
        let number = try checkHeader(UnsafeRawBufferPointer(rebasing: bytes.prefix(headerBytes)))
        let trailer = try Trailer(
            decoding: UnsafeRawBufferPointer(rebasing: bytes.suffix(trailerBytes)), objectBytes: bytes.count)
        guard trailer.number == number else { throw BinaryReader.Malformed() }
        return try index(UnsafeRawBufferPointer(rebasing: bytes[trailer.index]), trailer)
    }

    /// - Returns: the object's number. - Throws: `Malformed`, `UnknownVersion`.
    private static func checkHeader(_ bytes: UnsafeRawBufferPointer) throws -> UInt64 {
        var fields = BinaryReader(try covered(bytes[...]))
        guard try fields.integer(UInt64.self) == magic else { throw BinaryReader.Malformed() }
        let version = try fields.integer(UInt32.self)
        guard version == Self.version, try fields.integer(UInt32.self) == 0 else {
            throw UnknownVersion(version: version)
        }
        _ = try fields.integer(UInt64.self)
        return try fields.integer()
    }

    /// - Parameter bytes: those of which the trailer says that they are the index.
    static func index(
        _ bytes: UnsafeRawBufferPointer, _ trailer: Trailer
    ) throws(BinaryReader.Malformed) -> Index {
        guard bytes.count == trailer.index.count, SegmentFormat.checksum(bytes) == trailer.digest else {
            throw .init()
        }
        let end = trailer.index.lowerBound
        var reader = BinaryReader(bytes)
        let log = try LogDescription(decoding: &reader)
        var entries: [IndexEntry] = []
        while reader.remaining > 0 {
            let partition = Int(try reader.integer(UInt32.self))
            let rows = Int(try reader.integer(UInt32.self))
            let base = Int64(try reader.count())
            let endOfRange = Int64(try reader.count())
            let position = try reader.count()
            let count = try reader.count()
            let checksum: UInt64 = try reader.integer()
            let earliest: Int64 = try reader.integer()
            let latest: Int64 = try reader.integer()
            guard partition < log.configuration.partitions, base < endOfRange, position <= end,
                count <= end - position, earliest <= latest
            else { throw .init() }
            entries.append(
                IndexEntry(
                    partition: partition, rows: rows, base: base, endOfRange: endOfRange, position: position,
                    bytes: count, checksum: checksum, timestamps: earliest...latest))
        }
        return Index(log: log, entries: entries)
    }

    /// Without the checksum behind it, which is right.
    fileprivate static func covered(
        _ bytes: Slice<UnsafeRawBufferPointer>
    ) throws(BinaryReader.Malformed) -> UnsafeRawBufferPointer {
        let all = UnsafeRawBufferPointer(rebasing: bytes)
        let covered = UnsafeRawBufferPointer(rebasing: all.dropLast(8))
        let checksum = all.loadUnaligned(fromByteOffset: covered.count, as: UInt64.self)
        guard UInt64(littleEndian: checksum) == SegmentFormat.checksum(covered) else { throw .init() }
        return covered
    }
}
