import Platform

/// What stands in a frame: items one behind the other, each a kind, a length and a body padded to eight bytes.
enum WALItem {
    /// Committed rows of one partition.
    case rows(LogID, partition: Int, BatchImage)
    case effect(CommitEffect)

    private enum Kind: UInt32 {
        case rows = 1
        case describeLog, updateLog, deleteLog, trim, producer, receipt
    }

    private static let alignment = BatchImage.Packing.close.rawValue

    // MARK: Encoding

    /// - Precondition: the buffer holds nothing but items.
    static func encode(
        _ header: BatchHeader, rows: Range<Int>, of log: LogID, partition: Int, to buffer: ByteBuffer
    ) {
        encode(.rows, to: buffer) {
            buffer.append(log.rawValue)
            buffer.append(UInt64(partition))
            BatchImage.encode(
                header, rows: rows, endOfRange: header.offset(ofRow: rows.upperBound - 1) + 1, .close,
                to: buffer)
        }
    }

    static func encode(_ effect: CommitEffect, to buffer: ByteBuffer) {
        switch effect {
        case .describeLog(let log):
            encode(.describeLog, to: buffer) { log.encode(to: buffer) }
        case .updateLog(let log, let configuration):
            encode(.updateLog, to: buffer) {
                buffer.append(log.rawValue)
                configuration.encode(to: buffer)
            }
        case .deleteLog(let log):
            encode(.deleteLog, to: buffer) { buffer.append(log.rawValue) }
        case .trim(let log, let partition, let before):
            encode(.trim, to: buffer) {
                buffer.append(log.rawValue)
                buffer.append(UInt64(partition))
                buffer.append(before)
            }
        case .producer(let log, let call):
            encode(.producer, to: buffer) {
                buffer.append(log.rawValue)
                call.encode(to: buffer)
            }
        case .receipt(let receipt):
            encode(.receipt, to: buffer) { receipt.encode(to: buffer) }
        }
    }

    private static func encode(_ kind: Kind, to buffer: ByteBuffer, _ body: () -> Void) {
        buffer.append(kind.rawValue)
        let lengthPosition = buffer.count
        buffer.append(UInt32(0))
        body()
        buffer.store(UInt32(buffer.count - lengthPosition - 4), at: lengthPosition)
        buffer.pad(to: alignment)
    }

    // MARK: Decoding

    /// - Parameter bytes: a payload, aligned to 8; they must outlive the item.
    static func forEach(
        in bytes: UnsafeRawBufferPointer, _ body: (WALItem) throws -> Void
    ) throws {
        var reader = BinaryReader(bytes)
        while reader.remaining > 0 {
            guard let kind = Kind(rawValue: try reader.integer()) else { throw BinaryReader.Malformed() }
            let content = try reader.counted()
            try reader.skipPadding(to: alignment)
            try body(try item(kind, content))
        }
    }

    private static func item(
        _ kind: Kind, _ content: UnsafeRawBufferPointer
    ) throws(BinaryReader.Malformed) -> WALItem {
        var reader = BinaryReader(content)
        if kind == .describeLog { return .effect(.describeLog(try LogDescription(decoding: &reader))) }
        if kind == .receipt { return .effect(.receipt(try ReceiptRecord(decoding: &reader))) }
        let log = LogID(rawValue: try reader.integer())
        switch kind {
        case .rows:
            let partition = try reader.partition()
            let image = try BatchImage(decoding: try reader.take(reader.remaining))
            if image.isStub { throw .init() }
            return .rows(log, partition: partition, image)
        case .updateLog: return .effect(.updateLog(log, try LogConfiguration(decoding: &reader)))
        case .deleteLog: return .effect(.deleteLog(log))
        case .trim:
            return .effect(.trim(log, partition: try reader.partition(), before: Int64(try reader.count())))
        case .producer: return .effect(.producer(log, try ProducerCall(decoding: &reader)))
        case .describeLog, .receipt: throw .init()
        }
    }
}

extension BinaryReader {
    mutating func partition() throws(Malformed) -> Int {
        let partition = try count()
        guard partition < LogConfiguration.partitionsMax else { throw Malformed() }
        return partition
    }
}
