import Platform
import Support
import Testing

@testable import StorageEngine

@Suite("Rows as bytes and back")
struct BatchImageTests {
    private static let rowCount = 7

    /// A log whose rows have these columns, and some without them.
    private func log(_ columns: ColumnPlan.Columns) throws -> Log {
        let log = try EngineHarness().log()
        let source = ByteBuffer()
        func slice(_ text: String) -> Draft.Slice {
            defer { source.append(Array(text.utf8)) }
            return Draft.Slice(source: UInt32(source.count), count: UInt32(text.utf8.count))
        }
        let range = 0..<Self.rowCount
        let values = range.map { slice(String(repeating: "v", count: $0 * 3)) }
        let keys = range.map { $0 % 3 == 1 ? .absent : slice("key-\($0)") }
        let extras = range.map { number in
            number % 2 == 1
                ? .absent
                : slice(
                    String(
                        decoding: RecordExtras(headers: [.init(name: "n", value: "\(number)")]).encoded(),
                        as: UTF8.self))
        }
        var draft = Draft(source: source)
        draft.values = values
        if columns.contains(.keys) { draft.keys = keys }
        if columns.contains(.extras) { draft.extras = extras }
        if columns.contains(.types) { draft.types = range.map { $0 % 2 == 0 ? .plainText : .json } }
        if columns.contains(.deadlines) {
            draft.deadlines = range.map { $0 == 3 ? Deadline.never : 1_800_000_000_000 + Int64($0) }
        }
        if columns.contains(.priorities) { draft.priorities = range.map { UInt8($0) } }
        if columns.contains(.arrivals) { draft.timestamps = range.map { 1_000 + Int64($0) } }
        _ = try log.append(draft, AppendOptions()).value()
        // The first row has all columns, so that all rows are in one batch.
        #expect(header(of: log).rows == Self.rowCount)
        return log
    }

    private func header(of log: Log) -> BatchHeader {
        log.partitions[0].state.withLock { $0.list.headers[0].pointee }
    }

    private func expectEqual(_ image: BatchImage, _ header: BatchHeader, _ rows: Range<Int>, _ label: String)
    {
        for (index, row) in rows.enumerated() {
            let draft = image.row(index)
            #expect(draft.value.elementsEqual(header.value(row)), "\(label), value of row \(row)")
            #expect(
                draft.key.map { Array($0) } == header.key(row).map { Array($0) },
                "\(label), key of row \(row)")
            #expect(draft.timestamp == header.timestamps[row], "\(label)")
            #expect(draft.arrival == header.arrival(row), "\(label)")
            #expect(draft.deadline == header.deadline(row), "\(label)")
            #expect(draft.type == header.type(row), "\(label)")
            #expect(draft.priority == header.priorities?[row] ?? 0, "\(label)")
            let extras = header.extrasOffsets.map { Int($0[row + 1]) - Int($0[row]) } ?? 0
            #expect(draft.extras.count == extras, "\(label)")
        }
    }

    @Test("rows with any columns come back, all of them or some", arguments: 0..<128 as Range<UInt8>)
    func roundTrip(columns: UInt8) throws {
        let columns = ColumnPlan.Columns(rawValue: columns)
        let log = try log(columns)
        var header = header(of: log)
        let deltas = UnsafeMutablePointer<UInt32>.allocate(capacity: Self.rowCount)
        defer { deltas.deallocate() }
        for row in 0..<Self.rowCount { deltas[row] = UInt32(row * row) }
        if columns.contains(.deltas) { header = header.sparse(deltas) }
        for packing in [BatchImage.Packing.close, .cacheLines] {
            for rows in [0..<Self.rowCount, 2..<5, 6..<7, 0..<1] {
                // A sparse batch is written from its first row on.
                if columns.contains(.deltas), rows.lowerBound > 0 { continue }
                let buffer = ByteBuffer()
                let end = header.offset(ofRow: rows.upperBound - 1) + 1
                BatchImage.encode(header, rows: rows, endOfRange: end, packing, to: buffer)
                #expect(buffer.count % packing.rawValue == 0)
                let image = try BatchImage(decoding: buffer.bytes)
                #expect(image.rows == rows.count && image.endOfRange == end)
                #expect(image.base == (columns.contains(.deltas) ? 0 : Int64(rows.lowerBound)))
                expectEqual(image, header, rows, "\(columns), \(packing), \(rows)")
            }
        }
        withExtendedLifetime(log) {}
    }

    @Test("whatever bytes it is given, an image is refused or can be read", arguments: [1, 2, 3] as [UInt64])
    func anyBytes(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let log = try log(ColumnPlan.Columns(rawValue: UInt8(seed) &* 37 & 127))
        let header = header(of: log)
        let whole = ByteBuffer()
        BatchImage.encode(
            header, rows: 0..<Self.rowCount, endOfRange: Int64(Self.rowCount), .close, to: whole)
        var decoded = 0
        for round in 0..<1500 * FaultRounds.factor {
            let buffer = ByteBuffer(whole.array)
            let bytes = buffer.mutableBytes
            for _ in 0..<(round % 4 + 1) {
                // Mostly in the header and the offsets, where it tells.
                let place = Int.random(in: 0..<(round % 2 == 0 ? 64 : bytes.count), using: &random)
                bytes[place] =
                    [0, 1, 0xFF, 0x7F, UInt8.random(in: 0...255, using: &random)].randomElement(
                        using: &random) ?? 0
            }
            let length = round % 5 == 0 ? Int.random(in: 0...bytes.count, using: &random) : bytes.count
            guard
                let image = try? BatchImage(
                    decoding: UnsafeRawBufferPointer(rebasing: buffer.bytes[0..<length]))
            else { continue }  // Refused, as it should be.
            decoded += 1
            var sum = 0
            for row in 0..<image.rows {
                let draft = image.row(row)
                // Of a stub there is nothing to read.
                let value = image.isStub ? 0 : draft.value.reduce(0) { $0 &+ Int($1) }
                sum &+= value &+ (draft.key?.count ?? 0) &+ draft.extras.count
            }
            #expect(sum != .min)
        }
        #expect(decoded > 0)
        for _ in 0..<500 {
            let noise = ByteBuffer(
                (0..<Int.random(in: 0...300, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                })
            #expect(throws: BinaryReader.Malformed.self) { try BatchImage(decoding: noise.bytes) }
        }
    }
}

extension BatchHeader {
    /// The same rows at other offsets, as rewriting leaves them.
    fileprivate func sparse(_ deltas: UnsafeMutablePointer<UInt32>) -> BatchHeader {
        BatchHeader(
            serial: serial, base: base, capacityRows: capacityRows, rows: rows, endOfRange: endOfRange,
            deltas: deltas, timestamps: timestamps, valueOffsets: valueOffsets, values: values,
            valueCapacity: valueCapacity,
            keyOffsets: keyOffsets, keys: keys, keyCapacity: keyCapacity, extrasOffsets: extrasOffsets,
            extras: extras, extrasCapacity: extrasCapacity, types: types,
            priorities: priorities, deadlines: deadlines, arrivals: arrivals)
    }
}
