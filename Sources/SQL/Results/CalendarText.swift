import Platform

/// Dates and times of the proleptic Gregorian calendar, as text of ISO 8601.
enum CalendarText {
    private static let microsecondsPerDay: Int64 = 86_400_000_000

    static func date(days: Int) -> String {
        let (year, month, day) = CivilDate.date(days: days)
        return "\(padded(year))-\(two(month))-\(two(day))"
    }

    /// `12:34:56`, with a fraction where there is one.
    static func time(microseconds: Int64) -> String {
        let seconds = microseconds / 1_000_000
        let text = "\(two(Int(seconds / 3600))):\(two(Int(seconds / 60 % 60))):\(two(Int(seconds % 60)))"
        return text + fraction(Int(microseconds % 1_000_000), digits: 6)
    }

    /// `2026-11-24T12:34:56.5`. - Parameter suffix: `Z` for an instant.
    static func timestamp(microseconds: Int64, nanoseconds: Int = 0, suffix: String) -> String {
        if microseconds == Int64.max { return "infinity" }
        if microseconds == -Int64.max { return "-infinity" }
        let (days, rest) = floorDivide(microseconds, microsecondsPerDay)
        guard nanoseconds == 0 else {
            let whole = time(microseconds: rest / 1_000_000 * 1_000_000)
            let fraction = fraction(Int(rest % 1_000_000) * 1000 + nanoseconds, digits: 9)
            return "\(date(days: Int(days)))T\(whole)\(fraction)\(suffix)"
        }
        return "\(date(days: Int(days)))T\(time(microseconds: rest))\(suffix)"
    }

    /// A duration of ISO 8601: `P1Y2M3DT4H5M6.5S`.
    static func interval(months: Int32, days: Int32, microseconds: Int64) -> String {
        var text = "P"
        if months / 12 != 0 { text += "\(months / 12)Y" }
        if months % 12 != 0 { text += "\(months % 12)M" }
        if days != 0 { text += "\(days)D" }
        guard microseconds != 0 else { return text == "P" ? "PT0S" : text }
        text += "T"
        let magnitude = microseconds.magnitude
        let sign = microseconds < 0 ? "-" : ""
        let seconds = magnitude / 1_000_000
        if seconds / 3600 != 0 { text += "\(sign)\(seconds / 3600)H" }
        if seconds / 60 % 60 != 0 { text += "\(sign)\(seconds / 60 % 60)M" }
        let part = fraction(Int(magnitude % 1_000_000), digits: 6)
        if seconds % 60 != 0 || !part.isEmpty { text += "\(sign)\(seconds % 60)\(part)S" }
        return text
    }

    static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, rest: Int64) {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
    }

    private static func padded(_ year: Int) -> String {
        let digits = String(year.magnitude)
        return (year < 0 ? "-" : "") + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// `.5`, without zeros at its end; nothing for 0.
    private static func fraction(_ value: Int, digits: Int) -> String {
        guard value > 0 else { return "" }
        let text = String(value)
        var padded = String(repeating: "0", count: max(0, digits - text.count)) + text
        while padded.last == "0" { padded.removeLast() }
        return "." + padded
    }
}
