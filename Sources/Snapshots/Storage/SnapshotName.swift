import Platform

/// The name of a snapshot: when it was begun, how, and something random. Later ones are greater, byte by byte.
///
/// `20261128T173500123Z-periodic-1a2b3c4d`; `-some-` where logs were chosen.
struct SnapshotName: Comparable, Hashable, Sendable {
    enum Kind: String {
        case all = "-"
        /// Not all logs that there were.
        case some = "-some-"
        /// All, and taken by itself.
        case periodic = "-periodic-"
    }

    let text: String

    /// - Parameter last: a clock may have been set back since that one was made.
    init(at now: Int64, _ kind: Kind, after last: SnapshotName?) {
        let earliest = last.flatMap(\.milliseconds).map { $0 + 1 } ?? 0
        let digits = String(UInt32.random(in: 0...UInt32.max), radix: 16)
        text =
            Self.stamp(max(now, earliest)) + kind.rawValue
            + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Nil for what no snapshot is called.
    init?(_ text: String) {
        let isPlain = text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || $0 == UInt8(ascii: "-")
        }
        guard isPlain, (1...100).contains(text.utf8.count) else { return nil }
        self.text = text
        guard milliseconds != nil else { return nil }
    }

    var isPeriodic: Bool { text.contains(Kind.periodic.rawValue) }
    var hasAllLogs: Bool { !text.contains(Kind.some.rawValue) }

    /// When it was begun.
    var milliseconds: Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count > 19, bytes[8] == UInt8(ascii: "T"), bytes[18] == UInt8(ascii: "Z") else {
            return nil
        }
        func number(_ range: Range<Int>) -> Int? {
            var value = 0
            for byte in bytes[range] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8),
            let hour = number(9..<11), let minute = number(11..<13), let second = number(13..<15),
            let millisecond = number(15..<18), (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60, second < 60
        else { return nil }
        let days = CivilDate.days(year: year, month: month, day: day)
        return Int64(((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + Int64(millisecond)
    }

    private static func stamp(_ milliseconds: Int64) -> String {
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let time = Int(min(max(0, milliseconds), 253_402_300_799_999))
        let (year, month, day) = CivilDate.date(days: time / 86_400_000)
        let rest = time % 86_400_000
        return padded(year, 4) + padded(month, 2) + padded(day, 2) + "T" + padded(rest / 3_600_000, 2)
            + padded(rest / 60_000 % 60, 2) + padded(rest / 1000 % 60, 2) + padded(rest % 1000, 3) + "Z"
    }

    static func < (left: SnapshotName, right: SnapshotName) -> Bool {
        left.text.utf8.lexicographicallyPrecedes(right.text.utf8)
    }
}
