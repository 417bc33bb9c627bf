/// A signed 64-bit integer as JSON writes it: an optional minus and digits, no leading zeros.
enum DecimalInteger {
    /// - Throws: `notAnInteger`, or `integerOverflow` for one that does not fit.
    static func parse(_ text: UnsafeRawBufferPointer) throws(EngineError) -> Int64 {
        var digits = text[...]
        while let last = digits.last, isSpace(last) { digits.removeLast() }
        while let first = digits.first, isSpace(first) { digits.removeFirst() }
        let isNegative = digits.first == UInt8(ascii: "-")
        if isNegative { digits.removeFirst() }
        guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0"),
            digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .notAnInteger }
        var value: Int64 = 0
        for digit in digits {
            // Downwards, so that the smallest integer fits.
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, underflow) = tens.subtractingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            if overflow || underflow { throw .integerOverflow }
            value = sum
        }
        if isNegative { return value }
        if value == Int64.min { throw .integerOverflow }
        return -value
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    static func withText<Result>(
        of value: Int64, _ body: (UnsafeRawBufferPointer) throws(EngineError) -> Result
    ) throws(EngineError) -> Result {
        let text = Array(String(value).utf8)
        return try text.span.bytes.withUnsafeBytes { bytes throws(EngineError) in try body(bytes) }
    }
}
