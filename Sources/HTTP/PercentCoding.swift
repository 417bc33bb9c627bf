enum PercentCoding {
    /// Decodes `%XX`; every other byte stands for itself.
    ///
    /// - Returns: nil when a `%` is not followed by two hexadecimal digits.
    static func decode(_ bytes: UnsafeRawBufferPointer, plusIsSpace: Bool = false) -> [UInt8]? {
        var isValid = true
        let decoded = [UInt8](unsafeUninitializedCapacity: bytes.count) { output, written in
            var read = 0
            while read < bytes.count {
                var byte = bytes[read]
                read += 1
                if byte == UInt8(ascii: "%") {
                    guard read + 1 < bytes.count, let high = digit(bytes[read]),
                        let low = digit(bytes[read + 1])
                    else {
                        isValid = false
                        return
                    }
                    byte = high << 4 | low
                    read += 2
                } else if plusIsSpace && byte == UInt8(ascii: "+") {
                    byte = UInt8(ascii: " ")
                }
                output[written] = byte
                written += 1
            }
        }
        return isValid ? decoded : nil
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
