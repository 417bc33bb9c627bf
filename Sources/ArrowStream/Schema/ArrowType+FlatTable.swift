extension ArrowType {
    /// The number of the member of the union `Type` in Arrow's `Schema.fbs`, and its table.
    var member: (number: UInt8, table: FlatTable) {
        switch self {
        case .null: (1, [:])
        case .integer(let bits, let isSigned): (2, Self.integerTable(bits: bits, isSigned: isSigned))
        case .floatingPoint(let bits): (3, [0: .short(bits == 16 ? 0 : bits == 32 ? 1 : 2)])
        case .binary(let storage): (storage.pick(4, 19, views: 23), [:])
        case .text(let storage): (storage.pick(5, 20, views: 24), [:])
        case .bool: (6, [:])
        case .decimal(let precision, let scale, let bits):
            (7, [0: .int(precision), 1: .int(scale), 2: .int(bits)])
        case .date(let unit): (8, [0: .short(unit.rawValue)])
        case .time(let unit): (9, [0: .short(unit.rawValue), 1: .int(Int32(unit.timeBytes * 8))])
        case .timestamp(let unit, let timezone): (10, Self.timestampTable(unit, timezone))
        case .interval(let unit): (11, [0: .short(unit.rawValue)])
        case .list(let width): (width == .narrow ? 12 : 21, [:])
        case .structure: (13, [:])
        case .union(let isDense, let ids): (14, [0: .short(isDense ? 1 : 0), 1: .ints(ids)])
        case .fixedBinary(let bytes): (15, [0: .int(bytes)])
        case .fixedList(let elements): (16, [0: .int(elements)])
        case .map(let keysSorted): (17, [0: .bool(keysSorted)])
        case .duration(let unit): (18, [0: .short(unit.rawValue)])
        case .listView(let width): (width == .narrow ? 25 : 26, [:])
        }
    }

    /// A table `Int`, which also tells the type of the indices into a dictionary.
    static func integerTable(bits: Int32, isSigned: Bool) -> FlatTable {
        [0: .int(bits), 1: .bool(isSigned)]
    }

    /// No time zone is a field left out: an empty one would be the zone of that name to some readers.
    private static func timestampTable(_ unit: TimeUnit, _ timezone: String) -> FlatTable {
        var table: FlatTable = [0: .short(unit.rawValue)]
        if !timezone.isEmpty { table.set(1, .string(Array(timezone.utf8))) }
        return table
    }
}

extension ArrowType.Storage {
    fileprivate func pick(_ narrow: UInt8, _ wide: UInt8, views: UInt8) -> UInt8 {
        switch self {
        case .offsets32: narrow
        case .offsets64: wide
        case .views: views
        }
    }
}

extension ArrowType.TimeUnit {
    /// Of a time of day: seconds and milliseconds of it fit 32 bits.
    var timeBytes: Int {
        switch self {
        case .second, .millisecond: 4
        case .microsecond, .nanosecond: 8
        }
    }
}
