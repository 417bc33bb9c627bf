import JSON

/// Rows as a batch holds them: values back to back, offsets and types beside them.
struct FieldBatch {
    private(set) var values: [UInt8] = []
    private(set) var offsets: [Int32] = [0]
    private(set) var types: [UInt8] = []

    var count: Int { types.count }

    init() {}

    init(_ texts: [String]) {
        for text in texts { add(Array(text.utf8)) }
    }

    mutating func add(_ value: [UInt8], type: UInt8 = 0) {
        values += value
        offsets.append(Int32(values.count))
        types.append(type)
    }

    func withRows<Result>(
        _ range: Range<Int>? = nil, _ body: (FieldRows) throws -> Result
    ) rethrows -> Result {
        // Of the very size: reading behind the values shows under the address sanitizer.
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: values.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: values)
        return try offsets.withUnsafeBufferPointer { offsets in
            try types.withUnsafeBufferPointer { types in
                try body(
                    FieldRows(
                        values: UnsafeRawBufferPointer(exact), offsets: offsets, types: types,
                        range: range ?? 0..<count))
            }
        }
    }

    /// The values of one column; nil where there is none.
    func column(
        _ name: String, _ target: FieldColumn.Target, rows: Range<Int>? = nil
    ) throws -> (values: [FieldValue?], misfits: Int) {
        let extractor = FieldExtractor([FieldColumn(name, target)])
        let (columns, extraction) = try columns(extractor, rows: rows)
        return (columns[0], extraction.misfits[0])
    }

    func columns(
        _ extractor: FieldExtractor, rows range: Range<Int>? = nil
    ) throws -> (columns: [[FieldValue?]], extraction: FieldExtractor.Extraction) {
        let count = (range ?? 0..<self.count).count
        let arrays = extractor.columns.map { FieldArray($0.target, count: count) }
        return try withRows(range) { rows in
            let extraction = try extractor.extract(rows, into: arrays.map(\.output))
            defer { withExtendedLifetime(extraction.arena) {} }
            return (arrays.map { array in (0..<count).map { array.value($0) } }, extraction)
        }
    }
}

enum FieldValue: Equatable {
    case boolean(Bool)
    case integer(Int64)
    case double(Double)
    case text(String)
}

/// What a caller of the extractor allocates; full of ones before, so that nothing is taken for zero by
/// chance.
final class FieldArray {
    let output: FieldOutput
    private let target: FieldColumn.Target

    init(_ target: FieldColumn.Target, count: Int) {
        self.target = target
        let values = UnsafeMutableRawBufferPointer.allocate(
            byteCount: count * target.elementBytes + 1, alignment: 16)
        values.initializeMemory(as: UInt8.self, repeating: 0xFF)
        let validity = UnsafeMutablePointer<UInt64>.allocate(capacity: (count + 63) / 64 + 1)
        validity.initialize(repeating: .max, count: (count + 63) / 64 + 1)
        output = FieldOutput(values: values.baseAddress.unsafelyUnwrapped, validity: validity)
    }

    deinit {
        output.values.deallocate()
        output.validity.deallocate()
    }

    func value(_ row: Int) -> FieldValue? {
        guard output.validity[row / 64] >> (row % 64) & 1 == 1 else { return nil }
        let element = output.values + row * target.elementBytes
        switch target {
        case .boolean: return .boolean(element.load(as: UInt8.self) == 1)
        case .int64: return .integer(element.load(as: Int64.self))
        case .double: return .double(element.load(as: Double.self))
        case .text, .json: return .text(String(decoding: text(element), as: UTF8.self))
        }
    }

    /// The bytes of DuckDB's string header; empty when the padding is not zero or the prefix is wrong.
    private func text(_ header: UnsafeMutableRawPointer) -> [UInt8] {
        let count = Int(header.load(as: UInt32.self))
        let inline = UnsafeRawBufferPointer(start: header + 4, count: 12)
        if count <= 12 {
            return inline[count...].allSatisfy { $0 == 0 } ? Array(inline.prefix(count)) : []
        }
        let address = header.load(fromByteOffset: 8, as: UInt.self)
        guard let start = UnsafeRawPointer(bitPattern: address) else { return [] }
        let bytes = Array(UnsafeRawBufferPointer(start: start, count: count))
        return bytes.prefix(4).elementsEqual(inline.prefix(4)) ? bytes : []
    }
}
