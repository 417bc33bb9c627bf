/// Writes JSON answers straight into bytes: commas by itself, raw JSON values embedded as they are.
///
///     var json = JSONWriter()
///     json.object { $0.member("offset", 3); $0.key("value"); $0.raw(bytes) }
///     let body = json.finish()
///
/// Nothing checks that calls pair up: an answer is written by code, not by clients.
package struct JSONWriter: ~Copyable {
    private var text: TextBuffer
    private var needsComma = false

    package init(capacity: Int = 256) { text = TextBuffer(capacity: capacity) }

    /// The text; answers end in a newline.
    package consuming func finish(newline: Bool = true) -> [UInt8] {
        if newline { text.append(UInt8(ascii: "\n")) }
        return text.array
    }

    package var count: Int { text.count }

    /// What has been written, valid until the next call.
    package var bytes: UnsafeRawBufferPointer { text.bytes }

    /// Ends a line of NDJSON; what comes next is a text of its own.
    package mutating func endLine() {
        text.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    /// Forgets what was written, which has been sent, and goes on in the same place with the same memory.
    package mutating func removeWritten() {
        text.removeAll()
    }

    /// What was written, which is forgotten here.
    package mutating func takeWritten() -> [UInt8] {
        defer { text.removeAll() }
        return text.array
    }

    /// Writes what is no JSON: the frame that texts stand in. What comes next is a text of its own.
    package mutating func frame(_ text: StaticString) {
        self.text.append(text)
        needsComma = false
    }

    package mutating func frame(_ text: String) {
        var text = text
        text.withUTF8 { self.text.append(UnsafeRawBufferPointer($0)) }
        needsComma = false
    }

    // MARK: Structure

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    package mutating func object<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginObject()
        try body(&self)
        endObject()
    }

    package mutating func array<Failure: Error>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        beginArray()
        try body(&self)
        endArray()
    }

    /// A name known when this was compiled: it must not need escaping.
    package mutating func key(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        let comma = needsComma
        text.append(atMost: count + 4) { bytes in
            var end = 0
            if comma {
                bytes[0] = UInt8(ascii: ",")
                end = 1
            }
            bytes[end] = UInt8(ascii: "\"")
            UnsafeMutableRawPointer(bytes + end + 1).copyMemory(from: name.utf8Start, byteCount: count)
            end += count + 1
            bytes[end] = UInt8(ascii: "\"")
            bytes[end + 1] = UInt8(ascii: ":")
            return end + 2
        }
        needsComma = false
    }

    package mutating func key(_ name: String) {
        string(name)
        text.append(UInt8(ascii: ":"))
        needsComma = false
    }

    // MARK: Values

    package mutating func null() { literal("null") }
    package mutating func bool(_ value: Bool) { if value { literal("true") } else { literal("false") } }
    package mutating func integer(_ value: Int) { integer(Int64(value)) }

    package mutating func integer(_ value: Int64) {
        separate()
        if value < 0 { text.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
        needsComma = true
    }

    package mutating func integer(_ value: UInt64) {
        separate()
        digits(value)
        needsComma = true
    }

    /// The shortest text that reads back as the same number; null for what JSON has no number for.
    package mutating func real(_ value: Double) {
        guard value.isFinite else { return null() }
        separate()
        var description = value.description
        description.withUTF8 { text.append(UnsafeRawBufferPointer($0)) }
        needsComma = true
    }

    /// The text of a number, as it is.
    package mutating func number(_ text: String) {
        var text = text
        text.withUTF8 { raw(UnsafeRawBufferPointer($0)) }
    }

    /// A name in UTF-8.
    package mutating func key(utf8 name: UnsafeRawBufferPointer) {
        string(utf8: name)
        text.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(utf8: UnsafeRawBufferPointer($0)) }
    }

    package mutating func string(_ text: StaticString) {
        string(utf8: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// - Precondition: valid UTF-8 (`isValidUTF8`).
    package mutating func string(utf8 string: UnsafeRawBufferPointer) {
        separate()
        text.append(UInt8(ascii: "\""))
        appendEscaped(string)
        text.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A string of padded base64.
    package mutating func base64(_ value: UnsafeRawBufferPointer) {
        separate()
        text.append(UInt8(ascii: "\""))
        text.append(atMost: Base64.encodedCount(value.count)) { Base64.encode(value, into: $0) }
        text.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// One JSON text, as it is.
    package mutating func raw(_ text: UnsafeRawBufferPointer) {
        separate()
        self.text.append(text)
        needsComma = true
    }

    package mutating func raw(_ text: [UInt8]) { text.withUnsafeBytes { raw($0) } }

    /// One JSON text with the line ends between its tokens made spaces: it stays on one line.
    package mutating func rawOnOneLine(_ text: UnsafeRawBufferPointer) {
        separate()
        let start = self.text.count
        self.text.append(text)
        self.text.withBytes(from: start, compactLines)
        needsComma = true
    }

    package mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .integer(let value): integer(value)
        case .real(let value): real(value)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                key(member.name)
                self.value(member.value)
            }
            endObject()
        }
    }

    // MARK: Bytes

    private mutating func open(_ bracket: UInt8) {
        separate()
        text.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        text.append(bracket)
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { text.append(UInt8(ascii: ",")) }
    }

    private mutating func literal(_ text: StaticString) {
        separate()
        self.text.append(text)
        needsComma = true
    }

    private mutating func digits(_ value: UInt64) {
        // 20 digits at most: they come out last first.
        text.append(atMost: 20) { bytes in
            var count = 1
            var rest = value
            while rest >= 10 {
                rest /= 10
                count += 1
            }
            rest = value
            var index = count
            repeat {
                index -= 1
                bytes[index] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while index > 0
            return count
        }
    }

    /// Copies runs that need no escape at once.
    private mutating func appendEscaped(_ string: UnsafeRawBufferPointer) {
        guard let base = string.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        var runStart = 0
        var index = 0
        while index < string.count {
            let byte = base[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text.append(UnsafeRawBufferPointer(start: base + runStart, count: index - runStart))
                appendEscape(of: byte)
                runStart = index + 1
            }
            index &+= 1
        }
        text.append(UnsafeRawBufferPointer(start: base + runStart, count: string.count - runStart))
    }

    private mutating func appendEscape(of byte: UInt8) {
        text.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(byte)
        case 0x08: text.append(UInt8(ascii: "b"))
        case 0x0C: text.append(UInt8(ascii: "f"))
        case 0x0A: text.append(UInt8(ascii: "n"))
        case 0x0D: text.append(UInt8(ascii: "r"))
        case 0x09: text.append(UInt8(ascii: "t"))
        default:
            text.append("u00" as StaticString)
            text.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
            let low = byte & 0x0F
            text.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
        }
    }
}
