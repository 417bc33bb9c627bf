extension ArrowType {
    /// Reads a format string of the C data interface
    /// (https://arrow.apache.org/docs/format/CDataInterface.html#data-type-description-format-strings).
    ///
    /// - Parameter keysSorted: of a map, what the flags of the schema say.
    /// - Returns: nil for what is not known here, among it the run-end encoded `+r`.
    init?(format: String, keysSorted: Bool) {
        if let known = Self.withoutParameters[format] {
            self = known
            return
        }
        if format == "+m" {
            self = .map(keysSorted: keysSorted)
            return
        }
        // A time zone has colons of its own: only the first one ends the name.
        let parts = format.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let type = Self.parametrized(String(parts[0]), parts[1]) else { return nil }
        self = type
    }

    private static let withoutParameters: [String: ArrowType] = [
        "n": .null, "b": .bool,
        "c": .integer(bits: 8, isSigned: true), "C": .integer(bits: 8, isSigned: false),
        "s": .integer(bits: 16, isSigned: true), "S": .integer(bits: 16, isSigned: false),
        "i": .integer(bits: 32, isSigned: true), "I": .integer(bits: 32, isSigned: false),
        "l": .integer(bits: 64, isSigned: true), "L": .integer(bits: 64, isSigned: false),
        "e": .floatingPoint(bits: 16), "f": .floatingPoint(bits: 32), "g": .floatingPoint(bits: 64),
        "u": .text(.offsets32), "U": .text(.offsets64), "vu": .text(.views),
        "z": .binary(.offsets32), "Z": .binary(.offsets64), "vz": .binary(.views),
        "tdD": .date(.day), "tdm": .date(.millisecond),
        "tts": .time(.second), "ttm": .time(.millisecond),
        "ttu": .time(.microsecond), "ttn": .time(.nanosecond),
        "tDs": .duration(.second), "tDm": .duration(.millisecond),
        "tDu": .duration(.microsecond), "tDn": .duration(.nanosecond),
        "tiM": .interval(.yearMonth), "tiD": .interval(.dayTime), "tin": .interval(.monthDayNano),
        "+l": .list(.narrow), "+L": .list(.wide), "+vl": .listView(.narrow), "+vL": .listView(.wide),
        "+s": .structure,
    ]

    private static func parametrized(_ name: String, _ parameters: Substring) -> ArrowType? {
        switch name {
        case "w": Int32(parameters).flatMap { $0 >= 0 ? .fixedBinary(bytes: $0) : nil }
        case "+w": Int32(parameters).flatMap { $0 >= 0 ? .fixedList(elements: $0) : nil }
        case "d": decimal(parameters)
        case "tss": .timestamp(.second, timezone: String(parameters))
        case "tsm": .timestamp(.millisecond, timezone: String(parameters))
        case "tsu": .timestamp(.microsecond, timezone: String(parameters))
        case "tsn": .timestamp(.nanosecond, timezone: String(parameters))
        case "+ud": unionIDs(parameters).map { .union(isDense: true, ids: $0) }
        case "+us": unionIDs(parameters).map { .union(isDense: false, ids: $0) }
        default: nil
        }
    }

    /// `precision,scale` of 128 bits, or `precision,scale,bits`.
    private static func decimal(_ parameters: Substring) -> ArrowType? {
        let numbers = parameters.split(separator: ",", omittingEmptySubsequences: false).map { Int32($0) }
        guard numbers.count == 2 || numbers.count == 3, let precision = numbers[0], let scale = numbers[1],
            let bits = numbers.count == 3 ? numbers[2] : 128, [32, 64, 128, 256].contains(bits)
        else { return nil }
        return .decimal(precision: precision, scale: scale, bits: bits)
    }

    private static func unionIDs(_ parameters: Substring) -> [Int32]? {
        if parameters.isEmpty { return [] }
        var ids: [Int32] = []
        for part in parameters.split(separator: ",", omittingEmptySubsequences: false) {
            guard let id = Int32(part), 0...127 ~= id else { return nil }
            ids.append(id)
        }
        return ids
    }
}
