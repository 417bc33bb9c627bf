import Platform

/// A piece of a JSON text that has been validated, taken apart without changing a byte: for bodies that mix fields of
/// ours with values of the sender's.
package struct RawJSON: Sendable {
    private let text: ByteBuffer
    private let range: Range<Int>

    /// - Throws: `RecordFailure` unless the bytes are exactly one JSON text.
    package init(_ text: ByteBuffer, _ parser: RecordParser) throws(RecordFailure) {
        _ = try parser.parse(text.bytes)
        parser.reset()
        var start = 0
        var end = text.count
        while start < end, Self.isSpace(text.bytes[start]) { start += 1 }
        while end > start, Self.isSpace(text.bytes[end - 1]) { end -= 1 }
        self.text = text
        range = start..<end
    }

    private init(_ text: ByteBuffer, _ range: Range<Int>) {
        self.text = text
        self.range = range
    }

    /// As they were sent. Valid for the time of the call.
    package func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        defer { withExtendedLifetime(text) {} }
        return try body(UnsafeRawBufferPointer(rebasing: text.bytes[range]))
    }

    package var bytes: [UInt8] { withBytes { Array($0) } }
    package var isNull: Bool { text.bytes[range.lowerBound] == UInt8(ascii: "n") }

    /// By Jansson: for fields of ours. - Throws: for numbers beyond 64 bits, and the like.
    package func value() throws(JSONFailure) -> JSONValue { try withBytes(ControlJSON.parse) }

    /// The elements of an array; nil for anything else.
    package func elements() -> [RawJSON]? {
        guard text.bytes[range.lowerBound] == UInt8(ascii: "[") else { return nil }
        var elements: [RawJSON] = []
        var position = skipSpace(range.lowerBound + 1)
        while text.bytes[position] != UInt8(ascii: "]") {
            let end = endOfValue(position)
            elements.append(RawJSON(text, position..<end))
            position = skipSpace(end)
            if text.bytes[position] == UInt8(ascii: ",") { position = skipSpace(position + 1) }
        }
        return elements
    }

    /// The members of an object in the order sent, duplicates included; nil for anything else.
    /// - Throws: for a name that Jansson refuses.
    package func members() throws(JSONFailure) -> [(name: String, value: RawJSON)]? {
        guard text.bytes[range.lowerBound] == UInt8(ascii: "{") else { return nil }
        var members: [(name: String, value: RawJSON)] = []
        var position = skipSpace(range.lowerBound + 1)
        while text.bytes[position] != UInt8(ascii: "}") {
            let endOfName = endOfValue(position)
            guard case .string(let name) = try RawJSON(text, position..<endOfName).value() else { return nil }
            let start = skipSpace(skipSpace(endOfName) + 1)
            let end = endOfValue(start)
            members.append((name, RawJSON(text, start..<end)))
            position = skipSpace(end)
            if text.bytes[position] == UInt8(ascii: ",") { position = skipSpace(position + 1) }
        }
        return members
    }

    // The text is valid: every bracket and string has its end within the range.

    private func endOfValue(_ start: Int) -> Int {
        switch text.bytes[start] {
        case UInt8(ascii: "\""): return endOfString(start)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return endOfBrackets(start)
        default:
            var end = start
            while end < range.upperBound, !Self.endsScalar(text.bytes[end]) { end += 1 }
            return end
        }
    }

    private func endOfString(_ start: Int) -> Int {
        var position = start + 1
        while text.bytes[position] != UInt8(ascii: "\"") {
            position += text.bytes[position] == UInt8(ascii: "\\") ? 2 : 1
        }
        return position + 1
    }

    private func endOfBrackets(_ start: Int) -> Int {
        var depth = 0
        var position = start
        repeat {
            switch text.bytes[position] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""): position = endOfString(position) - 1
            default: break
            }
            position += 1
        } while depth > 0
        return position
    }

    private func skipSpace(_ start: Int) -> Int {
        var position = start
        while position < range.upperBound, Self.isSpace(text.bytes[position]) { position += 1 }
        return position
    }

    private static func endsScalar(_ byte: UInt8) -> Bool {
        isSpace(byte) || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]")
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

/// Whether two JSON texts are the same but for blanks between tokens. Members in another order, or numbers written in
/// another way, are not the same.
/// - Precondition: both are valid. - Complexity: O(bytes).
package func isSameJSON(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    if equalBytes(left, right) { return true }
    var leftReader = TokenBytes(left)
    var rightReader = TokenBytes(right)
    while true {
        let byte = leftReader.next()
        if byte != rightReader.next() { return false }
        if byte == nil { return true }
    }
}

/// The bytes of a JSON text without the blanks between tokens.
private struct TokenBytes {
    private let text: UnsafeRawBufferPointer
    private var position = 0
    private var isInString = false
    private var isEscaped = false

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    mutating func next() -> UInt8? {
        while position < text.count {
            let byte = text[position]
            position += 1
            if !isInString, RawJSON.isSpace(byte) { continue }
            if byte == UInt8(ascii: "\""), !isEscaped { isInString.toggle() }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            return byte
        }
        return nil
    }
}
