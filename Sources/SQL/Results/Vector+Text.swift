import DuckDBClient

extension Vector {
    /// - Precondition: the storage is a signed integer.
    func signed(_ row: Int, _ storage: TypeIdentifier) -> Int128 {
        switch storage {
        case .tinyint: Int128(value(row, as: Int8.self))
        case .smallint: Int128(value(row, as: Int16.self))
        case .integer: Int128(value(row, as: Int32.self))
        case .bigint: Int128(value(row, as: Int64.self))
        default: value(row, as: Int128.self)
        }
    }

    /// - Precondition: the storage is an unsigned integer of at most 64 bits.
    func unsigned(_ row: Int, _ storage: TypeIdentifier) -> UInt64 {
        switch storage {
        case .utinyint: UInt64(value(row, as: UInt8.self))
        case .usmallint: UInt64(value(row, as: UInt16.self))
        case .uinteger: UInt64(value(row, as: UInt32.self))
        default: value(row, as: UInt64.self)
        }
    }

    func enumerationValue(_ row: Int, _ values: [String], _ storage: TypeIdentifier) -> String {
        let index = unsigned(row, storage)
        return index < UInt64(values.count) ? values[Int(index)] : ""
    }

    /// Times, identifiers and bit strings.
    func text(_ row: Int, _ type: TypeIdentifier) -> String {
        switch type {
        case .date: date(value(row, as: Int32.self))
        case .time: CalendarText.time(microseconds: value(row, as: Int64.self))
        case .timeNanoseconds: CalendarText.time(microseconds: value(row, as: Int64.self) / 1000)
        case .timeWithZone: timeWithZone(value(row, as: UInt64.self))
        case .timestamp: timestamp(value(row, as: Int64.self), perSecond: 1_000_000, suffix: "")
        case .timestampWithZone: timestamp(value(row, as: Int64.self), perSecond: 1_000_000, suffix: "Z")
        case .timestampSeconds: timestamp(value(row, as: Int64.self), perSecond: 1, suffix: "")
        case .timestampMilliseconds: timestamp(value(row, as: Int64.self), perSecond: 1000, suffix: "")
        case .timestampNanoseconds:
            timestamp(value(row, as: Int64.self), perSecond: 1_000_000_000, suffix: "")
        case .interval: interval(row)
        case .uuid: uuid(value(row, as: UInt128.self))
        case .bit: bits(bytes(row))
        default: ""
        }
    }

    private func date(_ days: Int32) -> String {
        // DuckDB's marks for infinity.
        if days == Int32.max { return "infinity" }
        if days == -Int32.max { return "-infinity" }
        return CalendarText.date(days: Int(days))
    }

    private func timestamp(_ value: Int64, perSecond: Int64, suffix: String) -> String {
        if value == Int64.max || value == -Int64.max {
            return CalendarText.timestamp(microseconds: value, suffix: suffix)
        }
        let (seconds, rest) = CalendarText.floorDivide(value, perSecond)
        let nanoseconds = rest * (1_000_000_000 / perSecond)
        let (microseconds, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000)
        // Beyond what DuckDB's own calendar holds.
        if overflow { return String(value) }
        return CalendarText.timestamp(
            microseconds: microseconds &+ nanoseconds / 1000, nanoseconds: Int(nanoseconds % 1000),
            suffix: suffix)
    }

    /// 40 bits of microseconds over 24 bits of seconds west of 15:59:59 east.
    private func timeWithZone(_ value: UInt64) -> String {
        let offset = 57_599 - Int(value & 0xFF_FFFF)
        let minutes = abs(offset) / 60
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let zone = "\(offset < 0 ? "-" : "+")\(two(minutes / 60)):\(two(minutes % 60))"
        return CalendarText.time(microseconds: Int64(value >> 24)) + zone
    }

    private func interval(_ row: Int) -> String {
        struct Interval { let months: Int32, days: Int32, microseconds: Int64 }
        let interval = value(row, as: Interval.self)
        return CalendarText.interval(
            months: interval.months, days: interval.days, microseconds: interval.microseconds)
    }

    /// Stored with its highest bit flipped, so that it sorts as a signed number.
    private func uuid(_ value: UInt128) -> String {
        let digits = String(value ^ (UInt128(1) << 127), radix: 16)
        let padded = Array(String(repeating: "0", count: 32 - digits.count) + digits)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(padded[$0]) }.joined(separator: "-")
    }

    /// The first byte counts the bits of the second that do not belong to it.
    private func bits(_ bytes: UnsafeRawBufferPointer) -> String {
        guard let padding = bytes.first else { return "" }
        let all = bytes.dropFirst().map { byte in
            let digits = String(byte, radix: 2)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
        return String(all.dropFirst(Int(padding)))
    }
}
