/// The buffers that an array consists of, which many types share
/// (https://arrow.apache.org/docs/format/Columnar.html#physical-memory-layout).
enum ArrowLayout: Equatable {
    /// No buffers at all.
    case null
    case bits
    case fixed(bytes: Int)
    /// Offsets into one buffer of bytes.
    case variable(ArrowType.OffsetWidth)
    /// 16 bytes a value, short ones whole, and any number of buffers for the long ones.
    case view
    case list(ArrowType.OffsetWidth)
    case listView(ArrowType.OffsetWidth)
    case fixedList(elements: Int)
    case structure
    case denseUnion
    case sparseUnion

    init(of type: ArrowType) {
        self =
            switch type {
            case .null: .null
            case .bool: .bits
            case .integer(let bits, _), .floatingPoint(let bits), .decimal(_, _, let bits):
                .fixed(bytes: Int(bits / 8))
            case .fixedBinary(let bytes): .fixed(bytes: Int(bytes))
            case .date(.day), .interval(.yearMonth): .fixed(bytes: 4)
            case .time(let unit): .fixed(bytes: unit.timeBytes)
            case .date(.millisecond), .timestamp, .duration, .interval(.dayTime): .fixed(bytes: 8)
            case .interval(.monthDayNano): .fixed(bytes: 16)
            case .text(.offsets32), .binary(.offsets32): .variable(.narrow)
            case .text(.offsets64), .binary(.offsets64): .variable(.wide)
            case .text(.views), .binary(.views): .view
            case .list(let width): .list(width)
            case .map: .list(.narrow)
            case .listView(let width): .listView(width)
            case .fixedList(let elements): .fixedList(elements: Int(elements))
            case .structure: .structure
            case .union(let isDense, _): isDense ? .denseUnion : .sparseUnion
            }
    }
}
