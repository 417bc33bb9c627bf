/// RFC 4648, standard alphabet, padded; decoding accepts nothing else.
package enum Base64 {
    private static let alphabet: [UInt8] = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    package static func encodedCount(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    /// - Precondition: there is room for `encodedCount` bytes.
    /// - Returns: how many were written, which is that number.
    static func encode(_ bytes: UnsafeRawBufferPointer, into text: UnsafeMutablePointer<UInt8>) -> Int {
        alphabet.withUnsafeBufferPointer { alphabet in
            var index = 0
            var written = 0
            while index < bytes.count {
                let available = min(3, bytes.count - index)
                var group = UInt32(bytes[index]) << 16
                if available > 1 { group |= UInt32(bytes[index + 1]) << 8 }
                if available > 2 { group |= UInt32(bytes[index + 2]) }
                for place in 0..<4 {
                    let sextet = Int(group >> UInt32(18 - 6 * place)) & 63
                    text[written] = place <= available ? alphabet[sextet] : UInt8(ascii: "=")
                    written += 1
                }
                index += 3
            }
            return written
        }
    }

    package static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: encodedCount(bytes.count)) { text in
            guard let start = text.baseAddress else { return 0 }
            return bytes.withUnsafeBytes { encode($0, into: start) }
        }
    }

    /// Nil when the text is not base64, is not padded, or has bits behind its last byte.
    package static func decode(_ text: String) -> [UInt8]? {
        let symbols = Array(text.utf8)
        guard symbols.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(symbols.count / 4 * 3)
        for start in stride(from: 0, to: symbols.count, by: 4) {
            var group: UInt32 = 0
            var padding = 0
            for place in 0..<4 {
                let symbol = symbols[start + place]
                if symbol == UInt8(ascii: "="), place >= 2, start + 4 == symbols.count {
                    padding += 1
                    group <<= 6
                } else {
                    guard padding == 0, let sextet = sextet(symbol) else { return nil }
                    group = group << 6 | sextet
                }
            }
            let unused: UInt32 = padding == 2 ? 0xF000 : padding == 1 ? 0xC0 : 0
            guard group & unused == 0 else { return nil }
            for place in 0..<(3 - padding) {
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * place)))
            }
        }
        return bytes
    }

    private static func sextet(_ symbol: UInt8) -> UInt32? {
        switch symbol {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(symbol - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(symbol - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(symbol - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
