import Platform

/// The value of the `Date` field, formatted once a second. Used by one thread at a time.
final class HTTPDate {
    static let length = 29

    private var second: Int64 = -1
    private let text = UnsafeMutablePointer<UInt8>.allocate(capacity: length)

    init() { text.initialize(repeating: 0, count: Self.length) }

    deinit { text.deallocate() }

    /// - Parameter now: Unix seconds.
    func write(into output: UnsafeMutablePointer<UInt8>, now: Int64) {
        if now != second { format(now) }
        output.update(from: text, count: Self.length)
    }

    private func format(_ now: Int64) {
        second = now
        let days = (now >= 0 ? now : now - 86_399) / 86_400
        let time = Int(now - days * 86_400)
        let (year, month, day) = CivilDate.date(days: Int(days))
        put("Sun, Mon, Tue, Wed, Thu, Fri, Sat, ", from: ((Int(days) + 4) % 7 + 7) % 7 * 5, count: 5, at: 0)
        put(day, at: 5)
        text[7] = 0x20
        put("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec ", from: (month - 1) * 4, count: 4, at: 8)
        put(year / 100, at: 12)
        put(year % 100, at: 14)
        text[16] = 0x20
        put(time / 3600, at: 17)
        text[19] = UInt8(ascii: ":")
        put(time / 60 % 60, at: 20)
        text[22] = UInt8(ascii: ":")
        put(time % 60, at: 23)
        put(" GMT", from: 0, count: 4, at: 25)
    }

    private func put(_ number: Int, at place: Int) {
        text[place] = UInt8(0x30 + number / 10 % 10)
        text[place + 1] = UInt8(0x30 + number % 10)
    }

    private func put(_ names: StaticString, from start: Int, count: Int, at place: Int) {
        for index in 0..<count { text[place + index] = names.utf8Start[start + index] }
    }
}
