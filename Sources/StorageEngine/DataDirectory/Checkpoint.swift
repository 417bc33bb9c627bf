import Platform

/// What exists, and where on disk: all logs with their batches as they were at some moment after frame `lsn`. What the
/// write-ahead log says behind that frame is done again on top; what is in here already is passed over by its offset.
///
/// There are two files of it, each replaced as a whole. `docs/formats/checkpoint.md` draws it.
struct Checkpoint {
    static let file = "checkpoint"
    /// The same content: without either nothing is known of any log, so one damaged file must not be the end.
    static let copy = "checkpoint.copy"
    private static let magic: UInt64 = 0x3150_4B43_4152_5950  // "PYRACKP1"
    private static let version: UInt32 = 1
    /// There is an archive.
    private static let archiveVersion: UInt32 = 2
    private static let headerBytes = 32

    struct PartitionRecord {
        var first: Int64
        var tail: Int64
        /// In the order of offsets.
        var images: [StoredImage]
    }

    struct LogRecord {
        var description: LogDescription
        /// Empty for logs in memory only.
        var partitions: [PartitionRecord]
        var producers: [ProducerCall]
    }

    var lsn = LSN.zero
    /// The number of the write-ahead log's file that goes on behind it; 0 before the first one.
    var walFile: UInt64 = 0
    var nextLogID: UInt64 = 1
    var nextSegment = SegmentID(rawValue: 1)
    var logs: [LogRecord] = []
    var receipts: [ReceiptRecord] = []
    /// Where objects of the directory's logs are, or may be. Nil as long as no log has had an archive.
    var archive: Archive.Space?

    var images: some Sequence<StoredImage> { logs.lazy.flatMap(\.partitions).flatMap(\.images) }

    // MARK: Encoding

    func encode() -> ByteBuffer {
        let buffer = ByteBuffer()
        buffer.append(Self.magic)
        buffer.append(archive == nil ? Self.version : Self.archiveVersion)
        buffer.append(UInt32(0))
        buffer.appendZeros(16)
        buffer.append(lsn.rawValue)
        buffer.append(walFile)
        buffer.append(nextLogID)
        buffer.append(nextSegment.rawValue)
        buffer.append(UInt32(logs.count))
        for log in logs { Self.encode(log, to: buffer) }
        buffer.append(UInt32(receipts.count))
        for receipt in receipts { receipt.encode(to: buffer) }
        archive?.encode(to: buffer)
        let body = UnsafeRawBufferPointer(rebasing: buffer.bytes[Self.headerBytes...])
        buffer.store(UInt64(body.count), at: 16)
        buffer.store(SegmentFormat.checksum(body), at: 24)
        return buffer
    }

    private static func encode(_ log: LogRecord, to buffer: ByteBuffer) {
        log.description.encode(to: buffer)
        buffer.append(UInt32(log.partitions.count))
        for partition in log.partitions {
            buffer.append(partition.first)
            buffer.append(partition.tail)
            buffer.append(UInt32(partition.images.count))
            for image in partition.images { image.encode(to: buffer) }
        }
        buffer.append(UInt32(log.producers.count))
        for producer in log.producers { producer.encode(to: buffer) }
    }

    // MARK: Decoding

    init() {}

    /// - Throws: `Malformed`, `UnknownVersion`.
    init(decoding bytes: UnsafeRawBufferPointer) throws {
        var reader = BinaryReader(bytes)
        guard try reader.integer(UInt64.self) == Self.magic else { throw BinaryReader.Malformed() }
        let version = try reader.integer(UInt32.self)
        guard version == Self.version || version == Self.archiveVersion, try reader.integer(UInt32.self) == 0
        else {
            throw UnknownVersion(version: version)
        }
        let count = try reader.count()
        let checksum = try reader.integer(UInt64.self)
        let body = try reader.take(count)
        guard reader.remaining == 0, SegmentFormat.checksum(body) == checksum else {
            throw BinaryReader.Malformed()
        }
        var fields = BinaryReader(body)
        lsn = LSN(rawValue: try fields.integer())
        walFile = try fields.integer()
        nextLogID = try fields.integer()
        nextSegment = SegmentID(rawValue: try fields.integer())
        for _ in 0..<(try fields.integer(UInt32.self)) { logs.append(try Self.log(&fields)) }
        for _ in 0..<(try fields.integer(UInt32.self)) {
            receipts.append(try ReceiptRecord(decoding: &fields))
        }
        if version == Self.archiveVersion { archive = try Archive.Space(decoding: &fields) }
        let locations = archive?.locations.count ?? 0
        guard fields.remaining == 0,
            images.allSatisfy({ $0.archived.map { $0.object.location < locations } ?? true })
        else { throw BinaryReader.Malformed() }
    }

    private static func log(_ reader: inout BinaryReader) throws(BinaryReader.Malformed) -> LogRecord {
        var log = LogRecord(description: try LogDescription(decoding: &reader), partitions: [], producers: [])
        for _ in 0..<(try reader.integer(UInt32.self)) {
            var partition = PartitionRecord(
                first: Int64(try reader.count()), tail: Int64(try reader.count()), images: [])
            for _ in 0..<(try reader.integer(UInt32.self)) {
                partition.images.append(try StoredImage(decoding: &reader))
            }
            guard partition.isInOrder else { throw .init() }
            log.partitions.append(partition)
        }
        guard log.partitions.isEmpty || log.partitions.count == log.description.configuration.partitions
        else {
            throw .init()
        }
        for _ in 0..<(try reader.integer(UInt32.self)) {
            log.producers.append(try ProducerCall(decoding: &reader))
        }
        return log
    }
}

extension Checkpoint.PartitionRecord {
    /// Batches lie behind each other and before the tail.
    fileprivate var isInOrder: Bool {
        var end: Int64 = 0
        for image in images {
            guard image.base >= end, image.endOfRange > image.base else { return false }
            end = image.endOfRange
        }
        return end <= tail && first <= tail && tail < Int64.max / 2
    }
}

extension StoredImage {
    fileprivate func encode(to buffer: ByteBuffer) {
        piece.encode(to: buffer)
        buffer.append(base)
        buffer.append(endOfRange)
        buffer.append(UInt64(rows))
        for field in [
            summary.earliestDeadline, summary.maxTimestamp, summary.lastArrival, summary.lastTombstone,
        ] { buffer.append(field) }
        buffer.append(UInt8((dead == nil ? 0 : 1) | (archived == nil ? 0 : 2)))
        if let dead {
            dead.piece.encode(to: buffer)
            buffer.append(UInt64(dead.presentCount))
            buffer.append(UInt64(dead.newestCount))
        }
        archived?.encode(to: buffer)
    }

    fileprivate init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        piece = try SegmentPiece(decoding: &reader)
        base = Int64(try reader.count())
        endOfRange = Int64(try reader.count())
        rows = try reader.count()
        summary = BatchSummary(
            earliestDeadline: try reader.integer(), maxTimestamp: try reader.integer(),
            lastArrival: try reader.integer(), lastTombstone: try reader.integer())
        guard (1...ColumnPlan.rowsMax).contains(rows) else { throw .init() }
        let parts = try reader.integer(UInt8.self)
        guard parts < 4 else { throw .init() }
        if parts & 1 != 0 {
            dead = DeadRows(
                piece: try SegmentPiece(decoding: &reader), presentCount: try reader.count(),
                newestCount: try reader.count())
        }
        if parts & 2 != 0 { archived = try ArchivedPiece(decoding: &reader) }
    }
}

extension SegmentPiece {
    fileprivate func encode(to buffer: ByteBuffer) {
        buffer.append(segment.rawValue)
        buffer.append(UInt64(position))
        buffer.append(UInt64(bytes))
        buffer.append(checksum)
    }

    fileprivate init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        segment = SegmentID(rawValue: try reader.integer())
        position = try reader.count()
        bytes = try reader.count()
        checksum = try reader.integer()
    }
}

extension ArchivedPiece {
    fileprivate func encode(to buffer: ByteBuffer) {
        buffer.append(UInt32(object.location))
        buffer.append(object.log.rawValue)
        buffer.append(object.number)
        buffer.append(UInt64(position))
        buffer.append(UInt64(bytes))
        buffer.append(checksum)
    }

    fileprivate convenience init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        let object = ArchiveObjectID(
            location: Int(try reader.integer(UInt32.self)), log: LogID(rawValue: try reader.integer()),
            number: try reader.integer())
        self.init(
            object: object, position: try reader.count(), bytes: try reader.count(),
            checksum: try reader.integer())
        guard position < Int.max / 2, bytes < Int.max / 2 else { throw .init() }
    }
}

extension Archive.Space {
    fileprivate func encode(to buffer: ByteBuffer) {
        buffer.append(number)
        buffer.append(UInt32(locations.count))
        for location in locations { buffer.append(counted: location) }
    }

    fileprivate init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        number = try reader.integer()
        locations = []
        for _ in 0..<(try reader.integer(UInt32.self)) { locations.append(try reader.text()) }
    }
}
