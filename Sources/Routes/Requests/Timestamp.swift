import JSON

/// Points in time as clients write them: Unix milliseconds, or RFC 3339.
enum Timestamp {
    /// From 0000-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z: what RFC 3339 can write.
    static let range: ClosedRange<Int64> = -62_167_219_200_000...253_402_300_799_999

    static func invalid(_ field: String) -> Problem {
        .invalidArgument(field, "must be Unix milliseconds, or RFC 3339 like 2026-11-22T23:00:00Z")
    }

    static func parse(_ text: String) -> Int64? {
        let milliseconds: Int64?
        if let integer = Int64(text), text.utf8.first != UInt8(ascii: "+") {
            milliseconds = integer
        } else {
            milliseconds = Timestamps.parseRFC3339(text)
        }
        guard let milliseconds, range.contains(milliseconds) else { return nil }
        return milliseconds
    }
}
