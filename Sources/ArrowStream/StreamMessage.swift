/// The frame of a message in a stream
/// (https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format):
///
///     FF FF FF FF │ i32 bytes of metadata │ metadata: a table `Message`, zeros │ body: buffers, zeros
///
/// Metadata and buffers end at multiples of 64 bytes, of which the format asks 8: in a stream that lies at
/// such an address as a whole, all buffers do, which is what vector instructions like.
enum StreamMessage {
    static let alignment = 64
    static let continuation: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF]
    private static let prefixBytes = 8
    /// The version of the format since Arrow 1.0.
    private static let metadataVersion5: Int16 = 4

    // The numbers of the members of the union `MessageHeader`.
    private static let schemaNumber: UInt8 = 1
    private static let dictionaryNumber: UInt8 = 2
    private static let recordNumber: UInt8 = 3

    static func schema(_ root: ArrowField) throws(ArrowStreamFailure) -> [UInt8] {
        try encode(schemaNumber, root.schemaTable, body: [], offsets: [], bodyBytes: 0, of: root)
    }

    static func recordBatch(_ plan: BatchPlan, of root: ArrowField) throws(ArrowStreamFailure) -> [UInt8] {
        let (offsets, bodyBytes) = try layOut(plan.buffers, of: root)
        return try encode(
            recordNumber, plan.table(offsets: offsets), body: plan.buffers, offsets: offsets,
            bodyBytes: bodyBytes, of: root)
    }

    /// The whole of a dictionary: it replaces one of the same number that was sent before.
    static func dictionary(_ dictionary: ArrowDictionary, _ plan: BatchPlan) throws(ArrowStreamFailure)
        -> [UInt8]
    {
        let (offsets, bodyBytes) = try layOut(plan.buffers, of: dictionary.values)
        let table: FlatTable = [
            0: .long(dictionary.id), 1: .table(plan.table(offsets: offsets)), 2: .bool(false),
        ]
        return try encode(
            dictionaryNumber, table, body: plan.buffers, offsets: offsets, bodyBytes: bodyBytes,
            of: dictionary.values)
    }

    /// Where the buffers go in the body.
    private static func layOut(
        _ buffers: [BodyBuffer], of field: ArrowField
    ) throws(ArrowStreamFailure) -> (offsets: [Int], bodyBytes: Int) {
        var offsets: [Int] = []
        offsets.reserveCapacity(buffers.count)
        var end = 0
        for buffer in buffers {
            offsets.append(end)
            let (sum, overflow) = end.addingReportingOverflow(buffer.byteCount)
            guard !overflow, sum <= Int.max / 2 else { throw field.tooLarge("the body of a batch") }
            end = padded(sum)
        }
        return (offsets, end)
    }

    private static func encode(
        _ number: UInt8, _ header: FlatTable, body: [BodyBuffer], offsets: [Int], bodyBytes: Int,
        of field: ArrowField
    ) throws(ArrowStreamFailure) -> [UInt8] {
        let message: FlatTable = [
            0: .short(metadataVersion5), 1: .byte(number), 2: .table(header), 3: .long(Int64(bodyBytes)),
        ]
        let metadata = FlatBufferBuilder.encode(message)
        let bodyStart = padded(prefixBytes + metadata.count)
        guard let metadataBytes = Int32(exactly: bodyStart - prefixBytes) else {
            throw field.tooLarge("\(metadata.count) bytes of metadata")
        }
        let total = bodyStart + bodyBytes
        return [UInt8](unsafeUninitializedCapacity: total) { bytes, count in
            let target = UnsafeMutableRawBufferPointer(bytes)
            target.copyBytes(from: continuation)
            target.storeBytes(of: metadataBytes.littleEndian, toByteOffset: 4, as: Int32.self)
            UnsafeMutableRawBufferPointer(rebasing: target[prefixBytes...]).copyBytes(from: metadata)
            zero(target, from: prefixBytes + metadata.count, to: bodyStart)
            for (index, buffer) in body.enumerated() {
                let start = bodyStart + offsets[index]
                let next = index + 1 < offsets.count ? bodyStart + offsets[index + 1] : total
                if let base = target.baseAddress { buffer.write(to: base + start) }
                zero(target, from: start + buffer.byteCount, to: next)
            }
            count = total
        }
    }

    private static func zero(_ target: UnsafeMutableRawBufferPointer, from start: Int, to end: Int) {
        target[start..<end].initializeMemory(as: UInt8.self, repeating: 0)
    }

    private static func padded(_ count: Int) -> Int { (count + alignment - 1) / alignment * alignment }
}
