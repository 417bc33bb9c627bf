/// Writes a table and all it refers to in the binary format of FlatBuffers
/// (https://flatbuffers.dev/internals), as far as the messages of Arrow need it.
///
///     u32 ── offset of the root table
///     vtable: u16 its bytes, u16 the table's bytes, u16 a slot ── where its value is; 0: default
///     table:  i32 ── from the vtable to here, then the values, widest first so that none needs padding
///     string: u32 bytes, UTF-8, 0          vector: u32 elements, the elements
///
/// Offsets are relative to where they stand and unsigned: what is referred to follows what refers to it, so
/// it is all written from the front to the back, and an offset is filled in once its target is reached. All
/// numbers are little-endian and lie at multiples of their width, counted from the beginning.
struct FlatBufferBuilder {
    private var bytes: [UInt8] = []

    /// - Complexity: linear in the size of the result, recursive in the depth of the tables.
    static func encode(_ root: FlatTable) -> [UInt8] {
        var builder = FlatBufferBuilder()
        builder.bytes.reserveCapacity(512)
        builder.append(UInt32(0))
        builder.refer(from: 0, to: .table(root))
        return builder.bytes
    }

    // MARK: Tables

    /// Returns where the table begins.
    private mutating func write(_ table: FlatTable) -> Int {
        let fields = table.fields.sorted { $0.value.inlineBytes > $1.value.inlineBytes }
        let slots = (fields.map(\.slot).max() ?? -1) + 1
        let vtableBytes = 4 + 2 * slots

        var offsets = [UInt16](repeating: 0, count: slots)
        var tableBytes = 4
        for field in fields {
            offsets[field.slot] = UInt16(truncatingIfNeeded: tableBytes)
            tableBytes += field.value.inlineBytes
        }

        // The values begin 4 bytes into the table: that is the place which has to fit the widest of them.
        let widest = max(fields.first?.value.inlineBytes ?? 4, 4)
        pad(before: vtableBytes + 4, toMultipleOf: widest)
        append(UInt16(truncatingIfNeeded: vtableBytes))
        append(UInt16(truncatingIfNeeded: tableBytes))
        for offset in offsets { append(offset) }

        let start = bytes.count
        append(Int32(truncatingIfNeeded: vtableBytes))
        for field in fields { writeInline(field.value) }
        for field in fields { refer(from: start + Int(offsets[field.slot]), to: field.value) }
        return start
    }

    private mutating func writeInline(_ value: FlatTable.Value) {
        switch value {
        case .byte(let byte): append(byte)
        case .short(let short): append(short)
        case .int(let int): append(int)
        case .long(let long): append(long)
        case .string, .table, .tables, .ints, .longs: append(UInt32(0))
        }
    }

    /// Writes what a value refers to, and the offset to it at `place`; nothing for what stands in the table
    /// itself.
    private mutating func refer(from place: Int, to value: FlatTable.Value) {
        let target: Int
        switch value {
        case .byte, .short, .int, .long: return
        case .string(let text): target = write(string: text)
        case .table(let table): target = write(table)
        case .tables(let tables): target = write(tables: tables)
        case .ints(let ints): target = write(vector: ints, count: ints.count)
        case .longs(let longs, let perElement): target = write(vector: longs, count: longs.count / perElement)
        }
        // Whoever frames the result refuses one of more than 2 GiB, which is all that could be cut off here.
        let offset = UInt32(truncatingIfNeeded: target - place)
        for index in 0..<4 { bytes[place + index] = UInt8(truncatingIfNeeded: offset >> (8 * index)) }
    }

    // MARK: Vectors

    private mutating func write(string text: [UInt8]) -> Int {
        pad(before: 0, toMultipleOf: 4)
        let start = bytes.count
        append(UInt32(truncatingIfNeeded: text.count))
        bytes.append(contentsOf: text)
        bytes.append(0)
        return start
    }

    private mutating func write<Element: FixedWidthInteger>(vector: [Element], count: Int) -> Int {
        pad(before: 4, toMultipleOf: max(MemoryLayout<Element>.size, 4))
        let start = bytes.count
        append(UInt32(truncatingIfNeeded: count))
        for element in vector { append(element) }
        return start
    }

    private mutating func write(tables: [FlatTable]) -> Int {
        let start = write(vector: [UInt32](repeating: 0, count: tables.count), count: tables.count)
        for (index, table) in tables.enumerated() {
            refer(from: start + 4 + 4 * index, to: .table(table))
        }
        return start
    }

    // MARK: Bytes

    /// Zeros, so that what comes `distance` bytes later lies at a multiple of `width`.
    private mutating func pad(before distance: Int, toMultipleOf width: Int) {
        while (bytes.count + distance) % width != 0 { bytes.append(0) }
    }

    private mutating func append(_ integer: some FixedWidthInteger) {
        withUnsafeBytes(of: integer.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
