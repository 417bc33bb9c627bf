/// Reads a header field's value by the grammar of RFC 9110, section 5.6.
struct FieldScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    func isAt(_ character: Unicode.Scalar) -> Bool {
        position < bytes.count && bytes[position] == UInt8(ascii: character)
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard isAt(character) else { return false }
        position += 1
        return true
    }

    mutating func skipBlanks() {
        while isAt(" ") || isAt("\t") { position += 1 }
    }

    mutating func token() -> String? { take(while: Self.isTokenCharacter) }

    /// The content of a quoted string, its escapes undone.
    mutating func quotedString() -> String? {
        guard isAt("\"") else { return nil }
        var content: [UInt8] = []
        var index = position + 1
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") { index += 1 }
            guard index < bytes.count, bytes[index] >= 0x20, bytes[index] != 0x7F else { return nil }
            content.append(bytes[index])
            index += 1
        }
        guard index < bytes.count else { return nil }
        position = index + 1
        return String(validating: content, as: UTF8.self)
    }

    /// The opaque part of an entity tag, which knows no escapes.
    mutating func opaqueTag() -> String? {
        guard isAt("\"") else { return nil }
        guard let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        let content = bytes[(position + 1)..<end]
        guard content.allSatisfy({ $0 == 0x21 || $0 >= 0x23 && $0 != 0x7F }) else { return nil }
        position = end + 1
        return String(validating: content, as: UTF8.self) ?? ""
    }

    private mutating func take(while matches: (UInt8) -> Bool) -> String? {
        let start = position
        while position < bytes.count, matches(bytes[position]) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
