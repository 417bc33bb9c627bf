import Platform

/// Rows of a batch as bytes: in segments the columns as they lie in memory, in the write-ahead log the same, packed
/// more closely. `docs/formats/batch-image.md` draws it.
///
/// Decoding is total: whatever bytes it is given, it returns an image all of whose rows can be read, or throws.
struct BatchImage {
    /// Columns begin at multiples of it.
    enum Packing: Int {
        /// For entries of the write-ahead log.
        case close = 8
        /// For segments: as Apache Arrow has columns in memory.
        case cacheLines = 64
    }

    static let headerBytes = 64
    private static let stubFlag: UInt16 = 1
    /// Offsets into columns are `Int32`.
    private static let columnBytesMax = Int(Int32.max)

    let rows: Int
    let base: Int64
    let endOfRange: Int64
    let columns: ColumnPlan.Columns
    let timestamps: UnsafePointer<Int64>
    let valueOffsets: UnsafePointer<Int32>
    let values: UnsafeRawPointer
    let keyOffsets: UnsafePointer<Int32>?
    let keys: UnsafeRawPointer?
    let extrasOffsets: UnsafePointer<Int32>?
    let extras: UnsafeRawPointer?
    let deltas: UnsafePointer<UInt32>?
    let types: UnsafePointer<UInt8>?
    let priorities: UnsafePointer<UInt8>?
    let deadlines: UnsafePointer<Int64>?
    let arrivals: UnsafePointer<Int64>?
    let valueBytes: Int
    let keyBytes: Int
    let extrasBytes: Int
    /// Without the bytes of values and extras, which are in the archive.
    var isStub = false
}

// MARK: Encoding

extension BatchImage {
    /// Appends the image of some rows, whose column offsets then begin at 0.
    ///
    /// - Parameter asStub: without the bytes of values and extras.
    /// - Precondition: the buffer's end is aligned as `packing` wants it; a stub gives stubs only.
    static func encode(
        _ header: BatchHeader, rows range: Range<Int>, endOfRange: Int64, _ packing: Packing,
        asStub: Bool = false, to buffer: ByteBuffer
    ) {
        precondition(asStub || !header.isStub, "what is in the archive has to be loaded first")
        let columns = header.columns(of: range)
        let count = range.count
        func bytes(_ offsets: UnsafeMutablePointer<Int32>?) -> Int {
            offsets.map { Int($0[range.upperBound]) - Int($0[range.lowerBound]) } ?? 0
        }
        let base = header.deltas == nil ? header.base + Int64(range.lowerBound) : header.base
        buffer.append(UInt32(count))
        buffer.append(columns.rawValue)
        buffer.append(UInt8(packing.rawValue))
        buffer.append(asStub ? stubFlag : 0)
        buffer.append(base)
        buffer.append(endOfRange)
        buffer.append(UInt32(columns.contains(.keys) ? bytes(header.keyOffsets) : 0))
        buffer.append(UInt32(columns.contains(.extras) ? bytes(header.extrasOffsets) : 0))
        buffer.append(UInt32(bytes(header.valueOffsets)))
        buffer.appendZeros(headerBytes - 36)
        func column<Element>(_ kind: ColumnPlan.Columns, _ pointer: UnsafeMutablePointer<Element>?) {
            guard kind.isEmpty || columns.contains(kind), let pointer else { return }
            buffer.append(
                UnsafeRawBufferPointer(UnsafeBufferPointer(start: pointer + range.lowerBound, count: count)))
            buffer.pad(to: packing.rawValue)
        }
        func offsets(_ kind: ColumnPlan.Columns, _ pointer: UnsafeMutablePointer<Int32>?) {
            guard kind.isEmpty || columns.contains(kind), let pointer else { return }
            buffer.append(rebased: pointer + range.lowerBound, count: count + 1)
            buffer.pad(to: packing.rawValue)
        }
        func data(
            _ kind: ColumnPlan.Columns, _ offsets: UnsafeMutablePointer<Int32>?,
            _ data: UnsafeMutableRawPointer?
        ) {
            guard kind.isEmpty || columns.contains(kind), let offsets, let data else { return }
            let start = data + Int(offsets[range.lowerBound])
            buffer.append(UnsafeRawBufferPointer(start: start, count: bytes(offsets)))
            buffer.pad(to: packing.rawValue)
        }
        column([], header.timestamps)
        offsets([], header.valueOffsets)
        offsets(.keys, header.keyOffsets)
        offsets(.extras, header.extrasOffsets)
        column(.deadlines, header.deadlines)
        column(.arrivals, header.arrivals)
        column(.deltas, header.deltas)
        column(.types, header.types)
        column(.priorities, header.priorities)
        data(.keys, header.keyOffsets, header.keys)
        if asStub { return }
        data(.extras, header.extrasOffsets, header.extras)
        data([], header.valueOffsets, header.values)
    }
}

extension BatchHeader {
    /// The columns that some rows need: one that holds nothing, or the default in all of them, is left out.
    fileprivate func columns(of range: Range<Int>) -> ColumnPlan.Columns {
        func holds(_ offsets: UnsafeMutablePointer<Int32>?) -> Bool {
            offsets.map { $0[range.upperBound] > $0[range.lowerBound] } ?? false
        }
        func differs<Element: Equatable>(_ column: UnsafeMutablePointer<Element>?, from usual: Element)
            -> Bool
        {
            column.map { column in range.contains { column[$0] != usual } } ?? false
        }
        var columns: ColumnPlan.Columns = []
        if holds(keyOffsets) { columns.insert(.keys) }
        if holds(extrasOffsets) { columns.insert(.extras) }
        if differs(types, from: RecordType.json.rawValue) { columns.insert(.types) }
        if differs(priorities, from: 0) { columns.insert(.priorities) }
        if differs(deadlines, from: Deadline.never) { columns.insert(.deadlines) }
        if let arrivals, range.contains(where: { arrivals[$0] != timestamps[$0] }) {
            columns.insert(.arrivals)
        }
        if deltas != nil { columns.insert(.deltas) }
        return columns
    }
}

extension ByteBuffer {
    fileprivate func append(rebased offsets: UnsafeMutablePointer<Int32>, count: Int) {
        let first = offsets[0]
        let start = self.count
        append(UnsafeRawBufferPointer(UnsafeBufferPointer(start: offsets, count: count)))
        guard first != 0 else { return }
        mutableBytes[start...].withMemoryRebound(to: Int32.self) { copied in
            for index in 0..<count { copied[index] &-= first }
        }
    }
}

// MARK: Decoding

extension BatchImage {
    /// - Parameter bytes: aligned to 8; they must outlive the image.
    init(decoding bytes: UnsafeRawBufferPointer) throws(BinaryReader.Malformed) {
        var reader = BinaryReader(bytes)
        let rows = Int(try reader.integer(UInt32.self))
        let columns = ColumnPlan.Columns(rawValue: try reader.integer(UInt8.self))
        let alignment = try reader.integer(UInt8.self)
        let flags = try reader.integer(UInt16.self)
        guard let packing = Packing(rawValue: Int(alignment)), flags & ~Self.stubFlag == 0,
            (1...ColumnPlan.rowsMax).contains(rows), columns.rawValue < 128
        else { throw .init() }
        let base = try reader.integer(Int64.self)
        let endOfRange = try reader.integer(Int64.self)
        let keyBytes = Int(try reader.integer(UInt32.self))
        let extrasBytes = Int(try reader.integer(UInt32.self))
        let valueBytes = Int(try reader.integer(UInt32.self))
        // Far enough from the end of the type that no sum of an offset and a row overflows.
        guard base >= 0, endOfRange > base, endOfRange < Int64.max / 2,
            max(keyBytes, extrasBytes, valueBytes) <= Self.columnBytesMax,
            UInt(bitPattern: bytes.baseAddress) % 8 == 0
        else { throw .init() }
        _ = try reader.take(Self.headerBytes - reader.position)
        var source = ColumnReader(reader: reader, columns: columns, alignment: packing.rawValue)
        let timestamps = try source.column(rows, of: Int64.self)
        let valueOffsets = try source.offsets(rows, ending: valueBytes)
        let keyOffsets = try source.offsets(.keys, rows, ending: keyBytes)
        let extrasOffsets = try source.offsets(.extras, rows, ending: extrasBytes)
        let deadlines = try source.column(.deadlines, rows, of: Int64.self)
        let arrivals = try source.column(.arrivals, rows, of: Int64.self)
        let deltas = try source.column(.deltas, rows, of: UInt32.self)
        let types = try source.column(.types, rows, of: UInt8.self)
        let priorities = try source.column(.priorities, rows, of: UInt8.self)
        let keys = try source.column(.keys, keyBytes, of: UInt8.self)
        let isStub = flags & Self.stubFlag != 0
        let extras = isStub ? nil : try source.column(.extras, extrasBytes, of: UInt8.self)
        let values = isStub ? nil : try source.column(valueBytes, of: UInt8.self)
        guard let nowhere = values.map({ UnsafeRawPointer($0) }) ?? BatchHeader.nowhere else { throw .init() }
        let last = deltas.map { Int64($0[rows - 1]) } ?? Int64(rows - 1)
        guard base + last < endOfRange, deltas.map({ Self.ascends($0, rows) }) ?? true else { throw .init() }
        self.init(
            rows: rows, base: base, endOfRange: endOfRange, columns: columns, timestamps: timestamps,
            valueOffsets: valueOffsets, values: nowhere, keyOffsets: keyOffsets,
            keys: keys.map { UnsafeRawPointer($0) }, extrasOffsets: extrasOffsets,
            extras: isStub ? BatchHeader.nowhere : extras.map { UnsafeRawPointer($0) }, deltas: deltas,
            types: types, priorities: priorities, deadlines: deadlines, arrivals: arrivals,
            valueBytes: valueBytes, keyBytes: keyBytes, extrasBytes: extrasBytes, isStub: isStub)
    }

    private static func ascends(_ deltas: UnsafePointer<UInt32>, _ rows: Int) -> Bool {
        (1..<max(1, rows)).allSatisfy { deltas[$0 - 1] < deltas[$0] }
    }

    private struct ColumnReader {
        typealias Malformed = BinaryReader.Malformed
        var reader: BinaryReader
        let columns: ColumnPlan.Columns
        let alignment: Int

        mutating func column<Element>(
            _ count: Int, of _: Element.Type
        ) throws(Malformed) -> UnsafePointer<Element> {
            let field = try reader.take(count * MemoryLayout<Element>.stride)
            try reader.skipPadding(to: alignment)
            // An empty column points somewhere and is never read.
            guard let start = field.baseAddress else { throw .init() }
            return start.assumingMemoryBound(to: Element.self)
        }

        /// One more than rows: from 0, never descending, to `end`.
        mutating func offsets(_ rows: Int, ending end: Int) throws(Malformed) -> UnsafePointer<Int32> {
            let offsets = try column(rows + 1, of: Int32.self)
            guard offsets[0] == 0, Int(offsets[rows]) == end,
                (0..<rows).allSatisfy({ offsets[$0] <= offsets[$0 + 1] })
            else { throw .init() }
            return offsets
        }

        mutating func column<Element>(
            _ kind: ColumnPlan.Columns, _ count: Int, of type: Element.Type
        ) throws(Malformed) -> UnsafePointer<Element>? {
            columns.contains(kind) ? try column(count, of: type) : nil
        }

        mutating func offsets(
            _ kind: ColumnPlan.Columns, _ rows: Int, ending end: Int
        ) throws(Malformed) -> UnsafePointer<Int32>? {
            columns.contains(kind) ? try offsets(rows, ending: end) : nil
        }
    }
}
