/// A message of a stream, taken apart for a test.
struct ReadMessage {
    enum Kind: UInt8 { case schema = 1, dictionary, batch }

    let kind: Kind
    /// The table `Schema`, `DictionaryBatch` or `RecordBatch`.
    let header: FlatReader
    let body: [UInt8]

    /// Messages up to the end of the bytes.
    static func all(_ stream: [UInt8]) -> [ReadMessage] {
        var messages: [ReadMessage] = []
        var rest = stream[...]
        while !rest.isEmpty {
            precondition(rest.prefix(4).elementsEqual([0xFF, 0xFF, 0xFF, 0xFF]), "no message begins here")
            let metadataBytes = Int(FlatReader(bytes: Array(rest), position: 4).int32(at: 4))
            precondition((metadataBytes + 8) % 64 == 0, "the metadata ends at no multiple of 64 bytes")
            let root = FlatReader.root(Array(rest.dropFirst(8).prefix(metadataBytes)))
            let bodyBytes = Int(root.long(3))
            guard let kind = Kind(rawValue: UInt8(root.byte(1))), let header = root.table(2) else {
                preconditionFailure("no such message")
            }
            rest = rest.dropFirst(8 + metadataBytes)
            messages.append(ReadMessage(kind: kind, header: header, body: Array(rest.prefix(bodyBytes))))
            rest = rest.dropFirst(bodyBytes)
        }
        return messages
    }

    /// The table `RecordBatch`.
    private var record: FlatReader {
        guard kind == .dictionary else { return header }
        guard let data = header.table(1) else { preconditionFailure("a dictionary without data") }
        return data
    }

    var rows: Int64 { record.long(0) }
    /// The number of elements and that of nulls, in turns.
    var nodes: [Int64] { record.longs(1, perElement: 2) }
    var variadicCounts: [Int64] { record.longs(4, perElement: 1) }
    var dictionaryID: Int64 { header.long(0) }

    var buffers: [[UInt8]] {
        let places = record.longs(2, perElement: 2)
        return stride(from: 0, to: places.count, by: 2).map { index in
            precondition(places[index] % 64 == 0, "a buffer begins at no multiple of 64 bytes")
            return Array(body[Int(places[index])..<Int(places[index] + places[index + 1])])
        }
    }
}

/// A table in a flat buffer, its fields read by their slots.
struct FlatReader {
    let bytes: [UInt8]
    let position: Int

    static func root(_ bytes: [UInt8]) -> FlatReader {
        let start = FlatReader(bytes: bytes, position: 0)
        return FlatReader(bytes: bytes, position: Int(start.int32(at: 0)))
    }

    func int32(at place: Int) -> Int32 { number(at: place) }

    func byte(_ slot: Int) -> Int64 { place(slot).map { Int64(bytes[$0]) } ?? 0 }
    func short(_ slot: Int) -> Int64 { place(slot).map { Int64(number(at: $0) as Int16) } ?? 0 }
    func int(_ slot: Int) -> Int64 { place(slot).map { Int64(number(at: $0) as Int32) } ?? 0 }
    func long(_ slot: Int) -> Int64 { place(slot).map { number(at: $0) as Int64 } ?? 0 }
    func table(_ slot: Int) -> FlatReader? { target(slot).map { FlatReader(bytes: bytes, position: $0) } }

    func string(_ slot: Int) -> String? {
        target(slot).map { start in
            let count = Int(int32(at: start))
            precondition(bytes[start + 4 + count] == 0, "no zero ends a string")
            return String(decoding: bytes[start + 4..<start + 4 + count], as: UTF8.self)
        }
    }

    func tables(_ slot: Int) -> [FlatReader] {
        guard let start = target(slot) else { return [] }
        return (0..<Int(int32(at: start))).map { index in
            let place = start + 4 + index * 4
            return FlatReader(bytes: bytes, position: place + Int(int32(at: place)))
        }
    }

    func ints(_ slot: Int) -> [Int32] {
        guard let start = target(slot) else { return [] }
        return (0..<Int(int32(at: start))).map { int32(at: start + 4 + $0 * 4) }
    }

    func longs(_ slot: Int, perElement: Int) -> [Int64] {
        guard let start = target(slot) else { return [] }
        return (0..<Int(int32(at: start)) * perElement).map { number(at: start + 4 + $0 * 8) }
    }

    /// Where the value of a field is, if the table has it.
    private func place(_ slot: Int) -> Int? {
        let vtable = position - Int(int32(at: position))
        let vtableBytes = Int(number(at: vtable) as UInt16)
        guard 4 + slot * 2 < vtableBytes else { return nil }
        let offset = Int(number(at: vtable + 4 + slot * 2) as UInt16)
        return offset == 0 ? nil : position + offset
    }

    private func target(_ slot: Int) -> Int? { place(slot).map { $0 + Int(int32(at: $0)) } }

    private func number<Number: FixedWidthInteger & BitwiseCopyable>(at place: Int) -> Number {
        precondition(place % MemoryLayout<Number>.size == 0, "a number lies at no multiple of its width")
        return bytes.withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: place, as: Number.self))
        }
    }
}
