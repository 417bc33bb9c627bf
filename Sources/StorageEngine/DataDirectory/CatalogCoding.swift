import Platform

// What the write-ahead log and the checkpoint both say of logs, producers and receipts.

extension LogDescription {
    /// Before the name of a log that nobody sees yet; no name begins with it.
    private static let incomingMark = "\0"

    func encode(to buffer: ByteBuffer) {
        buffer.append(id.rawValue)
        buffer.append(epoch.rawValue)
        buffer.append(counted: isIncoming ? Self.incomingMark + name : name)
        configuration.encode(to: buffer)
    }

    init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        id = LogID(rawValue: try reader.integer())
        epoch = Epoch(rawValue: try reader.integer())
        let text = try reader.text()
        isIncoming = text.hasPrefix(Self.incomingMark)
        name = isIncoming ? String(text.dropFirst()) : text
        configuration = try LogConfiguration(decoding: &reader)
        guard (1...LogConfiguration.partitionsMax).contains(configuration.partitions) else { throw .init() }
    }
}

extension ProducerCall {
    func encode(to buffer: ByteBuffer) {
        buffer.append(counted: stamp.id)
        buffer.append(stamp.epoch)
        buffer.append(stamp.sequence)
        buffer.append(time)
        buffer.append(UInt32(ranges.count))
        for range in ranges {
            buffer.append(UInt64(range.partition))
            buffer.append(range.start.rawValue)
            buffer.append(range.end.rawValue)
        }
    }

    init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        let id = try reader.text()
        stamp = ProducerStamp(id: id, epoch: try reader.integer(), sequence: try reader.integer())
        time = try reader.integer()
        var ranges: [OffsetRange] = []
        for _ in 0..<(try reader.integer(UInt32.self)) {
            ranges.append(
                OffsetRange(
                    partition: try reader.partition(), start: Offset(try reader.integer()),
                    end: Offset(try reader.integer())))
        }
        self.ranges = ranges
    }
}

extension ReceiptRecord {
    func encode(to buffer: ByteBuffer) {
        buffer.append(counted: scope)
        buffer.append(counted: digest)
        buffer.append(expiresAt)
        buffer.append(UInt64(answer.status))
        buffer.append(counted: answer.contentType ?? "")
        buffer.append(counted: answer.body)
        buffer.append(UInt32(answer.fields.count))
        for field in answer.fields {
            buffer.append(counted: field.name)
            buffer.append(counted: field.value)
        }
    }

    init(decoding reader: inout BinaryReader) throws(BinaryReader.Malformed) {
        scope = Array(try reader.counted())
        digest = Array(try reader.counted())
        expiresAt = try reader.integer()
        let status = try reader.count()
        let contentType = try reader.text()
        let body = Array(try reader.counted())
        var fields: [IdempotencyReceipts.Answer.Field] = []
        for _ in 0..<(try reader.integer(UInt32.self)) {
            fields.append(.init(name: try reader.text(), value: try reader.text()))
        }
        answer = .init(
            status: status, contentType: contentType.isEmpty ? nil : contentType, fields: fields, body: body)
    }
}
