import Platform

/// `Sun, 06 Nov 1994 08:49:37 GMT`: the preferred form of RFC 9110, section 5.6.7.
enum HTTPDate {
    private static let length = 29
    private static let weekdays: StaticString = "SunMonTueWedThuFriSat"
    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    /// 9999-12-31T23:59:59Z
    private static let secondsMax: Int64 = 253_402_300_799

    /// - Parameter seconds: Unix time; moved into the years 1970 to 9999.
    static func write(seconds: Int64, to text: inout TextCursor) {
        let bounded = Int(min(max(seconds, 0), secondsMax))
        let (days, rest) = (bounded / 86_400, bounded % 86_400)
        let (year, month, day) = CivilDate.date(days: days)
        write(weekdays, (days + 4) % 7, to: &text)
        text.write(", ")
        text.write(decimal: day, width: 2)
        text.write(byte: 0x20)
        write(months, month - 1, to: &text)
        text.write(byte: 0x20)
        text.write(decimal: year, width: 4)
        text.write(byte: 0x20)
        text.write(decimal: rest / 3600, width: 2)
        text.write(byte: UInt8(ascii: ":"))
        text.write(decimal: rest / 60 % 60, width: 2)
        text.write(byte: UInt8(ascii: ":"))
        text.write(decimal: rest % 60, width: 2)
        text.write(" GMT")
    }

    /// Unix seconds. Nil for the two obsolete forms too: no client of ours sends them.
    static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == length, bytes[3] == UInt8(ascii: ","), bytes[4] == 0x20,
            text.hasSuffix(" GMT")
        else { return nil }
        var reader = DigitReader(Array(bytes[5...]))
        guard let day = reader.number(2), (1...31).contains(day), reader.skip(" "),
            let month = reader.name(of: months), reader.skip(" "),
            let year = reader.number(4), reader.skip(" "),
            let hour = reader.number(2), hour <= 23, reader.skip(":"),
            let minute = reader.number(2), minute <= 59, reader.skip(":"),
            let second = reader.number(2), second <= 60
        else { return nil }
        let days = CivilDate.days(year: year, month: month + 1, day: day)
        return Int64((days * 1440 + hour * 60 + minute) * 60 + second)
    }

    private static func write(_ names: StaticString, _ number: Int, to text: inout TextCursor) {
        text.write(UnsafeBufferPointer(start: names.utf8Start + number * 3, count: 3))
    }
}

extension DigitReader {
    /// The index of a name of three letters in a run of such names.
    mutating func name(of names: StaticString) -> Int? {
        let names = Array(UnsafeBufferPointer(start: names.utf8Start, count: names.utf8CodeUnitCount))
        for index in 0..<names.count / 3 where take(names[index * 3..<index * 3 + 3]) { return index }
        return nil
    }
}
