/// Files that are named by number: sixteen hexadecimal digits and a suffix.
enum NumberedFile {
    private static let digits = 16

    static func name(_ number: UInt64, suffix: String) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: digits - text.count) + text + suffix
    }

    /// Nil for a file of another kind.
    static func number(of name: some StringProtocol, suffix: String) -> UInt64? {
        guard name.hasSuffix(suffix), name.utf8.count == digits + suffix.utf8.count else { return nil }
        return UInt64(name.dropLast(suffix.utf8.count), radix: 16)
    }
}
