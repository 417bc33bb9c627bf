/// Writes short texts one behind the other into memory of a known size, for answers on the hot path.
///
/// The size is the caller's promise; writing beyond it traps.
struct TextCursor {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    private(set) var count = 0

    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    mutating func write(_ text: StaticString) {
        write(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func write(_ text: String) {
        var text = text
        text.withUTF8 { write($0) }
    }

    mutating func write(byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    /// Negative numbers, of which there are none here, are written as 0.
    mutating func write(decimal number: Int) {
        var digits = 1
        var rest = max(number, 0)
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        rest = max(number, 0)
        for index in stride(from: count + digits - 1, through: count, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += digits
    }

    private mutating func write(_ text: UnsafeBufferPointer<UInt8>) {
        precondition(text.count <= buffer.count - count, "the text outgrew its buffer")
        for index in text.indices { buffer[count + index] = text[index] }
        count += text.count
    }
}
