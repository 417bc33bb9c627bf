import Platform

/// The layout of a segment file.
enum SegmentFormat {
    static let magic: UInt64 = 0x3147_4553_4152_5950  // "PYRASEG1"
    static let version: UInt32 = 1
    static let headerBytes = 64
    static let alignment = 64
    static let trailerBytes = 64
    private static let suffix = ".seg"

    enum Kind: UInt32 {
        /// A `BatchImage`.
        case rows = 1
        /// A `DeadRowsImage`.
        case deadRows = 2
        /// A `BatchImage` without values and extras.
        case stub = 3
    }

    struct IndexEntry {
        let kind: Kind
        let log: LogID
        let partition: Int
        let piece: SegmentPiece
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 { xxh3(bytes, seed: 0) }

    static func name(_ id: SegmentID) -> String { NumberedFile.name(id.rawValue, suffix: suffix) }

    static func id(ofFile name: String) -> SegmentID? {
        NumberedFile.number(of: name, suffix: suffix).map { SegmentID(rawValue: $0) }
    }

    static func encodeHeader(_ id: SegmentID, to buffer: ByteBuffer) {
        buffer.append(magic)
        buffer.append(version)
        buffer.append(UInt32(0))
        buffer.append(id.rawValue)
        buffer.appendZeros(headerBytes - 8 - buffer.count)
        buffer.append(checksum(buffer.bytes))
    }

    /// - Throws: `Malformed`, `UnknownVersion`.
    static func checkHeader(_ bytes: UnsafeRawBufferPointer, _ id: SegmentID) throws {
        var reader = BinaryReader(bytes)
        let covered = try reader.take(headerBytes - 8)
        guard try reader.integer(UInt64.self) == checksum(covered) else { throw BinaryReader.Malformed() }
        var fields = BinaryReader(covered)
        guard try fields.integer(UInt64.self) == magic else { throw BinaryReader.Malformed() }
        let version = try fields.integer(UInt32.self)
        guard version == Self.version, try fields.integer(UInt32.self) == 0 else {
            throw UnknownVersion(version: version)
        }
        guard try fields.integer(UInt64.self) == id.rawValue else { throw BinaryReader.Malformed() }
    }

    /// The index and the trailer, which says where it is.
    static func encode(
        _ index: [IndexEntry], indexPosition: Int, id: SegmentID, to buffer: ByteBuffer
    ) {
        for entry in index {
            buffer.append(entry.kind.rawValue)
            buffer.append(UInt32(entry.partition))
            buffer.append(entry.log.rawValue)
            buffer.append(UInt64(entry.piece.position))
            buffer.append(UInt64(entry.piece.bytes))
            buffer.append(entry.piece.checksum)
        }
        let indexBytes = buffer.count
        let digest = checksum(buffer.bytes)
        buffer.pad(to: alignment)
        let start = buffer.count
        buffer.append(UInt64(indexPosition))
        buffer.append(UInt64(indexBytes))
        buffer.append(digest)
        buffer.append(id.rawValue)
        buffer.append(magic)
        buffer.appendZeros(trailerBytes - 8 - (buffer.count - start))
        buffer.append(checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[start...])))
    }

    /// The pieces of a whole file. - Throws: `Malformed` when the file is not complete.
    static func index(of bytes: UnsafeRawBufferPointer, _ id: SegmentID) throws(BinaryReader.Malformed)
        -> [IndexEntry]
    {
        guard bytes.count >= headerBytes + trailerBytes else { throw .init() }
        let trailer = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count - trailerBytes)...])
        var reader = BinaryReader(trailer)
        let position = try reader.count()
        let count = try reader.count()
        let digest = try reader.integer(UInt64.self)
        let named = try reader.integer(UInt64.self)
        let magic = try reader.integer(UInt64.self)
        let covered = UnsafeRawBufferPointer(rebasing: trailer[0..<trailerBytes - 8])
        let own = UInt64(
            littleEndian: trailer.loadUnaligned(fromByteOffset: trailerBytes - 8, as: UInt64.self))
        guard magic == self.magic, named == id.rawValue, own == checksum(covered),
            position <= bytes.count, count <= bytes.count - position
        else { throw .init() }
        let content = UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
        guard checksum(content) == digest else { throw .init() }
        var entries: [IndexEntry] = []
        var fields = BinaryReader(content)
        while fields.remaining > 0 {
            guard let kind = Kind(rawValue: try fields.integer()) else { throw .init() }
            let partition = Int(try fields.integer(UInt32.self))
            let log = LogID(rawValue: try fields.integer())
            let piece = SegmentPiece(
                segment: id, position: try fields.count(), bytes: try fields.count(),
                checksum: try fields.integer())
            guard piece.position <= position, piece.bytes <= position - piece.position else { throw .init() }
            entries.append(.init(kind: kind, log: log, partition: partition, piece: piece))
        }
        return entries
    }
}

/// The bitmaps of a batch as bytes.
enum DeadRowsImage {
    static func encode(present: Bitmap?, newest: Bitmap?, rows: Int, to buffer: ByteBuffer) {
        buffer.append(UInt32(rows))
        buffer.append(UInt32((present == nil ? 0 : 1) | (newest == nil ? 0 : 2)))
        for bitmap in [present, newest] {
            guard let bitmap else { continue }
            let words = UnsafeBufferPointer(start: bitmap.words, count: (rows + 63) / 64)
            buffer.append(UnsafeRawBufferPointer(words))
        }
    }

    /// - Parameter rows: of the batch that they belong to.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, rows: Int
    ) throws(BinaryReader.Malformed) -> (present: Bitmap?, newest: Bitmap?) {
        var reader = BinaryReader(bytes)
        guard Int(try reader.integer(UInt32.self)) == rows else { throw .init() }
        let flags = try reader.integer(UInt32.self)
        var present: Bitmap?
        var newest: Bitmap?
        if flags & 1 != 0 { present = Bitmap(rows: rows, words: try reader.take((rows + 63) / 64 * 8)) }
        if flags & 2 != 0 { newest = Bitmap(rows: rows, words: try reader.take((rows + 63) / 64 * 8)) }
        return (present, newest)
    }
}
