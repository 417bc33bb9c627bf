import Platform

/// `Sun, 06 Nov 1994 08:49:37 GMT`: the preferred form of RFC 9110, section 5.6.7.
enum HTTPDate {
    private static let length = 29
    private static let weekdays = Array("SunMonTueWedThuFriSat".utf8)
    private static let months = Array("JanFebMarAprMayJunJulAugSepOctNovDec".utf8)
    /// 9999-12-31T23:59:59Z
    private static let secondsMax: Int64 = 253_402_300_799

    /// - Parameter seconds: Unix time; moved into the years 1970 to 9999.
    static func text(seconds: Int64) -> String {
        let bounded = Int(min(max(seconds, 0), secondsMax))
        let (days, rest) = (bounded / 86_400, bounded % 86_400)
        let (year, month, day) = CivilDate.date(days: days)
        return String(unsafeUninitializedCapacity: length) { bytes in
            write(weekdays, (days + 4) % 7, to: bytes, at: 0)
            bytes[3] = UInt8(ascii: ",")
            bytes[4] = 0x20
            writeTwo(day, to: bytes, at: 5)
            bytes[7] = 0x20
            write(months, month - 1, to: bytes, at: 8)
            bytes[11] = 0x20
            writeTwo(year / 100, to: bytes, at: 12)
            writeTwo(year % 100, to: bytes, at: 14)
            bytes[16] = 0x20
            writeTwo(rest / 3600, to: bytes, at: 17)
            bytes[19] = UInt8(ascii: ":")
            writeTwo(rest / 60 % 60, to: bytes, at: 20)
            bytes[22] = UInt8(ascii: ":")
            writeTwo(rest % 60, to: bytes, at: 23)
            for (index, byte) in " GMT".utf8.enumerated() { bytes[25 + index] = byte }
            return length
        }
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

    private static func writeTwo(_ value: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, at index: Int) {
        bytes[index] = UInt8(ascii: "0") + UInt8(value / 10)
        bytes[index + 1] = UInt8(ascii: "0") + UInt8(value % 10)
    }

    private static func write(
        _ names: [UInt8], _ number: Int, to bytes: UnsafeMutableBufferPointer<UInt8>, at index: Int
    ) {
        for letter in 0..<3 { bytes[index + letter] = names[number * 3 + letter] }
    }
}

extension DigitReader {
    /// The index of a name of three letters in a run of such names.
    mutating func name(of names: [UInt8]) -> Int? {
        for index in 0..<names.count / 3 where take(names[index * 3..<index * 3 + 3]) { return index }
        return nil
    }
}
