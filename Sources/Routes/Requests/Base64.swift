/// Base64 with the standard alphabet (RFC 4648, section 4). Padding may be left out when decoding.
enum Base64 {
    private static let alphabet = Array(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let invalid: UInt8 = 0xFF
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    static func encode(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var encoded: [UInt8] = []
        encoded.reserveCapacity((bytes.count + 2) / 3 * 4)
        var index = 0
        while index < bytes.count {
            let left = min(3, bytes.count - index)
            var word = UInt32(bytes[index]) << 16
            if left > 1 { word |= UInt32(bytes[index + 1]) << 8 }
            if left > 2 { word |= UInt32(bytes[index + 2]) }
            for digit in 0..<4 {
                encoded.append(
                    digit > left ? UInt8(ascii: "=") : alphabet[Int(word >> UInt32(18 - 6 * digit)) & 63])
            }
            index += 3
        }
        return encoded
    }

    /// Nil for anything that no encoder writes: foreign characters, a wrong length, bits left over.
    static func decode(_ encoded: some Collection<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(encoded.count / 4 * 3 + 3)
        var word: UInt32 = 0
        var digits = 0
        var padding = 0
        for character in encoded {
            if character == UInt8(ascii: "=") {
                padding += 1
                continue
            }
            let value = values[Int(character)]
            guard value != invalid, padding == 0 else { return nil }
            word = word << 6 | UInt32(value)
            digits += 1
            if digits % 4 == 0 {
                for shift in [16, 8, 0] as [UInt32] {
                    decoded.append(UInt8(truncatingIfNeeded: word >> shift))
                }
                word = 0
            }
        }
        guard padding == 0 || (digits + padding) % 4 == 0 && padding <= 2 else { return nil }
        switch digits % 4 {
        case 0: return decoded
        case 2 where word & 0xF == 0: decoded.append(UInt8(truncatingIfNeeded: word >> 4))
        case 3 where word & 0x3 == 0:
            decoded.append(UInt8(truncatingIfNeeded: word >> 10))
            decoded.append(UInt8(truncatingIfNeeded: word >> 2))
        default: return nil
        }
        return decoded
    }
}
