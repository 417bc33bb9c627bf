/// Writes short texts one behind the other into memory of a known size, for answers on the hot path.
///
/// The size is the caller's promise; writing beyond it traps.
package struct TextCursor {
    private let buffer: UnsafeMutableBufferPointer<UInt8>
    package private(set) var count = 0

    package init(_ buffer: UnsafeMutableBufferPointer<UInt8>) { self.buffer = buffer }

    package mutating func write(_ text: StaticString) {
        write(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package mutating func write(text: String) {
        var text = text
        text.withUTF8 { write($0) }
    }

    package mutating func write(byte: UInt8) {
        buffer[count] = byte
        count += 1
    }

    /// Negative numbers, of which there are none here, are written as 0.
    package mutating func write(decimal number: Int) {
        var digits = 1
        var rest = max(number, 0)
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        write(decimal: number, width: digits)
    }

    /// `width` digits of a number that has no more.
    package mutating func write(decimal number: Int, width: Int) {
        var rest = max(number, 0)
        for index in stride(from: count + width - 1, through: count, by: -1) {
            buffer[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        count += width
    }

    package mutating func write(_ text: UnsafeBufferPointer<UInt8>) {
        precondition(text.count <= buffer.count - count, "the text outgrew its buffer")
        guard let source = text.baseAddress, let start = buffer.baseAddress else { return }
        UnsafeMutableRawPointer(start + count).copyMemory(from: source, byteCount: text.count)
        count += text.count
    }
}

extension [UInt8] {
    /// What `write` writes, at most `bytesMax`.
    package init(bytesMax: Int, _ write: (inout TextCursor) -> Void) {
        // A copy costs less than the initialiser for uninitialised memory, which looks up the type of the array.
        self = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytesMax) { buffer in
            var text = TextCursor(buffer)
            write(&text)
            return Array(UnsafeBufferPointer(rebasing: buffer[..<text.count]))
        }
    }
}
