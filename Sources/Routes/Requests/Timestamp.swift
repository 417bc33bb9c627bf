/// Points in time as clients write them: Unix milliseconds, or RFC 3339.
enum Timestamp {
    /// 9999-12-31T23:59:59.999Z: the last one that RFC 3339 can write.
    static let millisecondsMax: Int64 = 253_402_300_799_999
    /// 0000-01-01T00:00:00Z
    static let millisecondsMin: Int64 = -62_167_219_200_000

    static func invalid(_ field: String) -> Problem {
        .invalidArgument(field, "must be Unix milliseconds, or RFC 3339 like 2026-11-22T23:00:00Z")
    }

    static func parse(_ text: String) -> Int64? {
        if let milliseconds = Int64(text), text.utf8.first != UInt8(ascii: "+") {
            return (millisecondsMin...millisecondsMax).contains(milliseconds) ? milliseconds : nil
        }
        return parseRFC3339(Array(text.utf8))
    }

    /// Fractions beyond milliseconds are cut off; a leap second counts as the second after it.
    static func parseRFC3339(_ text: [UInt8]) -> Int64? {
        var reader = DigitReader(text)
        guard let year = reader.number(4), reader.skip("-"),
            let month = reader.number(2), (1...12).contains(month), reader.skip("-"),
            let day = reader.number(2), (1...daysInMonth(year, month)).contains(day),
            reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), hour <= 23, reader.skip(":"),
            let minute = reader.number(2), minute <= 59, reader.skip(":"),
            let second = reader.number(2), second <= 60,
            let fraction = reader.fraction(), let zone = reader.zoneMinutes(), reader.isAtEnd
        else { return nil }
        let days = CivilDate.days(year: year, month: month, day: day)
        let minutes = days * 1440 + hour * 60 + minute - zone
        return Int64(minutes * 60 + second) * 1000 + Int64(fraction)
    }

    private static func daysInMonth(_ year: Int, _ month: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }
}

/// Takes fixed runs of digits off a text.
struct DigitReader {
    private let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position == text.count }

    mutating func number(_ digits: Int) -> Int? {
        guard text.count - position >= digits else { return nil }
        var value = 0
        for byte in text[position..<position + digits] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        position += digits
        return value
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard position < text.count, text[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    /// Milliseconds of a fraction of a second; 0 without one.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        var milliseconds = 0
        var scale = 100
        let start = position
        while position < text.count, (0x30...0x39).contains(text[position]) {
            milliseconds += Int(text[position] - 0x30) * scale
            scale /= 10
            position += 1
        }
        return position > start ? milliseconds : nil
    }

    /// Minutes east of Greenwich.
    mutating func zoneMinutes() -> Int? {
        if skip("Z") || skip("z") { return 0 }
        let isWest = skip("-")
        guard isWest || skip("+"), let hours = number(2), hours <= 23, skip(":"), let minutes = number(2),
            minutes <= 59
        else { return nil }
        return (hours * 60 + minutes) * (isWest ? -1 : 1)
    }
}

/// The Gregorian calendar in days since 1970-01-01, after Howard Hinnant, "chrono-compatible low-level date algorithms".
enum CivilDate {
    static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    static func date(days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
