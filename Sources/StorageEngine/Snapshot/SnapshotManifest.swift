import Platform

/// What a snapshot consists of: logs, and where in which objects their batches lie. Once it is there, so is the snapshot.
/// `docs/formats/snapshot.md` draws it.
package struct SnapshotManifest: Sendable {
    private static let magic: UInt64 = 0x3150_4E53_4152_5950  // "PYRASNP1"
    private static let version: UInt32 = 1
    private static let headerBytes = 32
    private static let packBytesMax = 1 << 40

    /// An object that holds batches.
    package struct Pack: Equatable, Sendable {
        package let key: String
        package let bytes: Int
        package init(key: String, bytes: Int) {
            self.key = key
            self.bytes = bytes
        }
    }

    /// Bytes in a pack, and their XXH3.
    package struct Piece: Equatable, Sendable {
        /// Its place in `packs`.
        package var pack: Int
        package let position: Int
        package let bytes: Int
        package let checksum: UInt64
        package init(pack: Int, position: Int, bytes: Int, checksum: UInt64) {
            self.pack = pack
            self.position = position
            self.bytes = bytes
            self.checksum = checksum
        }
    }

    package struct BatchRecord: Equatable, Sendable {
        package var rows: Piece
        /// Nil: all rows live.
        package var dead: Piece?
        package let rowCount: Int
        /// Of the first row; and one past the last offset that the batch stands for.
        package let offsets: Range<Int64>
        package let timestamps: ClosedRange<Int64>

        /// - Parameter timestamps: of its rows, where they are known.
        package init(
            _ view: BatchView, tail: Int64, rows: Piece, dead: Piece?, timestamps: ClosedRange<Int64>? = nil
        ) {
            self.rows = rows
            self.dead = dead
            rowCount = view.rowCount
            offsets = view.offsets(tail: tail)
            self.timestamps = timestamps ?? view.timestamps
        }
    }

    package struct PartitionRecord: Sendable {
        package let bounds: Range<Int64>
        /// In the order of offsets.
        package var batches: [BatchRecord] = []
    }

    package struct LogRecord: Sendable {
        let description: LogDescription
        package var partitions: [PartitionRecord]
        let producers: [ProducerCall]

        package var name: String { description.name }
        package var configuration: LogConfiguration { description.configuration }
        package var recordCount: Int {
            partitions.reduce(0) { $0 + $1.batches.reduce(0) { $0 + $1.rowCount } }
        }

        package init(_ state: LogState) {
            description = state.description
            producers = state.producers
            partitions = state.partitions.map { PartitionRecord(bounds: $0.bounds) }
        }
    }

    /// The instant, in Unix milliseconds.
    package let time: Int64
    package var packs: [Pack] = []
    package var logs: [LogRecord] = []

    package init(time: Int64) { self.time = time }

    package var batches: some Sequence<BatchRecord> { logs.lazy.flatMap(\.partitions).flatMap(\.batches) }
    /// Of all batches.
    package var bytes: Int { batches.reduce(0) { $0 + $1.rows.bytes + ($1.dead?.bytes ?? 0) } }

    // MARK: Encoding

    package func encode() -> ByteBuffer {
        let buffer = ByteBuffer()
        buffer.append(Self.magic)
        buffer.append(Self.version)
        buffer.append(UInt32(0))
        buffer.appendZeros(16)
        buffer.append(time)
        buffer.append(UInt32(packs.count))
        for pack in packs {
            buffer.append(counted: pack.key)
            buffer.append(UInt64(pack.bytes))
        }
        buffer.append(UInt32(logs.count))
        for log in logs { log.encode(to: buffer) }
        let body = UnsafeRawBufferPointer(rebasing: buffer.bytes[Self.headerBytes...])
        buffer.store(UInt64(body.count), at: 16)
        buffer.store(SegmentFormat.checksum(body), at: 24)
        return buffer
    }

    // MARK: Decoding

    /// Total: any bytes may come. - Throws: what is wrong with them.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(SnapshotDamage) {
        do {
            var reader = BinaryReader(bytes)
            guard try reader.integer(UInt64.self) == Self.magic else { throw BinaryReader.Malformed() }
            let version = try reader.integer(UInt32.self)
            guard version == Self.version, try reader.integer(UInt32.self) == 0 else {
                throw SnapshotDamage("is of format version \(version), which this server does not know")
            }
            let count = try reader.count()
            let checksum = try reader.integer(UInt64.self)
            let body = try reader.take(count)
            guard reader.remaining == 0, SegmentFormat.checksum(body) == checksum else {
                throw SnapshotDamage("does not have the checksum that it says")
            }
            try self.init(body: body)
        } catch let damage as SnapshotDamage {
            throw damage
        } catch {
            throw SnapshotDamage("is not a manifest of a snapshot, or only part of one")
        }
    }

    private init(body: UnsafeRawBufferPointer) throws(BinaryReader.Malformed) {
        var fields = BinaryReader(body)
        time = try fields.integer()
        for _ in 0..<(try fields.integer(UInt32.self)) {
            let pack = Pack(key: try fields.text(), bytes: try fields.count())
            guard pack.bytes <= Self.packBytesMax else { throw .init() }
            packs.append(pack)
        }
        for _ in 0..<(try fields.integer(UInt32.self)) {
            logs.append(try LogRecord(decoding: &fields, packs: packs))
        }
        guard fields.remaining == 0 else { throw .init() }
    }
}

/// What is wrong with an object of a snapshot, as the end of a sentence that begins with its name.
package struct SnapshotDamage: Error, CustomStringConvertible, Sendable {
    package let description: String
    package init(_ description: String) { self.description = description }
}

extension SnapshotManifest.LogRecord {
    fileprivate func encode(to buffer: ByteBuffer) {
        description.encode(to: buffer)
        buffer.append(UInt32(partitions.count))
        for partition in partitions {
            buffer.append(partition.bounds.lowerBound)
            buffer.append(partition.bounds.upperBound)
            buffer.append(UInt32(partition.batches.count))
            for batch in partition.batches { batch.encode(to: buffer) }
        }
        buffer.append(UInt32(producers.count))
        for producer in producers { producer.encode(to: buffer) }
    }

    fileprivate init(
        decoding reader: inout BinaryReader, packs: [SnapshotManifest.Pack]
    ) throws(BinaryReader.Malformed) {
        description = try LogDescription(decoding: &reader)
        var partitions: [SnapshotManifest.PartitionRecord] = []
        guard Int(try reader.integer(UInt32.self)) == description.configuration.partitions,
            !description.isIncoming
        else { throw .init() }
        for _ in 0..<description.configuration.partitions {
            let first = Int64(try reader.count())
            let tail = Int64(try reader.count())
            guard first <= tail, tail < Int64.max / 2 else { throw .init() }
            var partition = SnapshotManifest.PartitionRecord(bounds: first..<tail)
            var end: Int64 = 0
            for _ in 0..<(try reader.integer(UInt32.self)) {
                let batch = try SnapshotManifest.BatchRecord(decoding: &reader, packs: packs)
                guard batch.offsets.lowerBound >= end, batch.offsets.upperBound <= tail else { throw .init() }
                end = batch.offsets.upperBound
                partition.batches.append(batch)
            }
            partitions.append(partition)
        }
        self.partitions = partitions
        var calls: [ProducerCall] = []
        for _ in 0..<(try reader.integer(UInt32.self)) { calls.append(try ProducerCall(decoding: &reader)) }
        producers = calls
    }
}

extension SnapshotManifest.BatchRecord {
    fileprivate func encode(to buffer: ByteBuffer) {
        rows.encode(to: buffer)
        buffer.append(UInt8(dead == nil ? 0 : 1))
        dead?.encode(to: buffer)
        buffer.append(UInt32(rowCount))
        buffer.append(offsets.lowerBound)
        buffer.append(offsets.upperBound)
        buffer.append(timestamps.lowerBound)
        buffer.append(timestamps.upperBound)
    }

    fileprivate init(
        decoding reader: inout BinaryReader, packs: [SnapshotManifest.Pack]
    ) throws(BinaryReader.Malformed) {
        rows = try SnapshotManifest.Piece(decoding: &reader, packs: packs)
        dead =
            try reader.integer(UInt8.self) == 0
            ? nil : try SnapshotManifest.Piece(decoding: &reader, packs: packs)
        rowCount = Int(try reader.integer(UInt32.self))
        let first = Int64(try reader.count())
        let end = Int64(try reader.count())
        let earliest: Int64 = try reader.integer()
        let latest: Int64 = try reader.integer()
        guard (1...ColumnPlan.rowsMax).contains(rowCount), first < end, earliest <= latest else {
            throw .init()
        }
        offsets = first..<end
        timestamps = earliest...latest
    }
}

extension SnapshotManifest.Piece {
    /// The largest batch, generously: one value of the largest size.
    private static let bytesMax = 1 << 31

    fileprivate func encode(to buffer: ByteBuffer) {
        buffer.append(UInt32(pack))
        buffer.append(UInt64(position))
        buffer.append(UInt64(bytes))
        buffer.append(checksum)
    }

    fileprivate init(
        decoding reader: inout BinaryReader, packs: [SnapshotManifest.Pack]
    ) throws(BinaryReader.Malformed) {
        pack = Int(try reader.integer(UInt32.self))
        position = try reader.count()
        bytes = try reader.count()
        checksum = try reader.integer()
        guard packs.indices.contains(pack), bytes <= Self.bytesMax, position <= packs[pack].bytes,
            bytes <= packs[pack].bytes - position
        else { throw .init() }
    }

    /// Of bytes that claim to be this piece.
    package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count == self.bytes && Self.checksum(of: bytes) == checksum
    }

    package static func checksum(of bytes: UnsafeRawBufferPointer) -> UInt64 { SegmentFormat.checksum(bytes) }
}
