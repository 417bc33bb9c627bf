import DuckDBClient
import JSON

/// Brings extracted values into the form of a column's type.
final class FieldConverter: Sendable {
    private let caster: TextCaster

    init(_ caster: TextCaster) { self.caster = caster }

    /// - Parameter start: the row of `column` that the first of `raw` becomes.
    /// - Returns: how many values do not fit the type; their rows have none.
    func convert(
        _ raw: RawColumn, to column: ExtractedColumn, from start: Int, _ type: FieldType
    ) throws -> Int {
        switch type.conversion {
        case .none:
            var source = UnsafeRawPointer(raw.output.values)
            column.forEachStretch(start..<start + raw.rowCount) { memory, byteCount in
                memory.copyMemory(from: source, byteCount: byteCount)
                source += byteCount
            }
            copyBits(raw.output.validity, count: raw.rowCount, to: column.validity, at: start)
            return 0
        case .narrow: return narrow(raw, column, start, type.type)
        case .float: return floats(raw, column, start)
        case .cast(let name): return try caster.cast(raw, to: name, into: column, from: start)
        }
    }

    private func narrow(
        _ raw: RawColumn, _ column: ExtractedColumn, _ start: Int, _ type: ColumnType
    ) -> Int {
        switch type.storage {
        case .tinyint: integers(raw, column, start, as: Int8.self)
        case .smallint: integers(raw, column, start, as: Int16.self)
        case .integer: integers(raw, column, start, as: Int32.self)
        case .utinyint: integers(raw, column, start, as: UInt8.self)
        case .usmallint: integers(raw, column, start, as: UInt16.self)
        default: integers(raw, column, start, as: UInt32.self)
        }
    }

    private func integers<Value: FixedWidthInteger & BitwiseCopyable>(
        _ raw: RawColumn, _ column: ExtractedColumn, _ start: Int, as type: Value.Type
    ) -> Int {
        let source = raw.output.values.assumingMemoryBound(to: Int64.self)
        var misfits = 0
        for row in 0..<raw.rowCount where raw.isValid(row) {
            guard let value = Value(exactly: source[row]) else {
                misfits += 1
                continue
            }
            column.set(start + row, value)
        }
        return misfits
    }

    private func floats(_ raw: RawColumn, _ column: ExtractedColumn, _ start: Int) -> Int {
        let source = raw.output.values.assumingMemoryBound(to: Double.self)
        var misfits = 0
        for row in 0..<raw.rowCount where raw.isValid(row) {
            let value = Float(source[row])
            guard value.isFinite else {
                misfits += 1
                continue
            }
            column.set(start + row, value)
        }
        return misfits
    }
}

extension ExtractedColumn {
    func set<Value: BitwiseCopyable>(_ row: Int, _ value: Value) {
        element(row).storeBytes(of: value, as: Value.self)
        validity[row >> 6] |= 1 &<< UInt64(row & 63)
    }
}

/// Copies bits from 0 on to place `at` of bits that are 0 there.
func copyBits(
    _ source: UnsafePointer<UInt64>, count: Int, to target: UnsafeMutablePointer<UInt64>, at start: Int
) {
    let shift = UInt64(start & 63)
    for word in 0..<(count + 63) / 64 {
        let left = count - word * 64
        let bits = left >= 64 ? source[word] : source[word] & ((1 &<< UInt64(left)) &- 1)
        let place = (start >> 6) + word
        target[place] |= bits &<< shift
        let carried = shift == 0 ? 0 : bits &>> (64 &- shift)
        if carried != 0 { target[place + 1] |= carried }
    }
}

/// `count` bits of `source` from `start` on, to `target` from 0 on; the rest of its last word is 1.
func readBits(
    _ source: UnsafePointer<UInt64>, at start: Int, count: Int, into target: UnsafeMutablePointer<UInt64>
) {
    let shift = UInt64(start & 63)
    for word in 0..<(count + 63) / 64 {
        let place = (start >> 6) + word
        let left = count - word * 64
        var bits = source[place] &>> shift
        if shift != 0, left > 64 - Int(shift) { bits |= source[place + 1] &<< (64 &- shift) }
        target[word] = left >= 64 ? bits : bits | ~((1 &<< UInt64(left)) &- 1)
    }
}
