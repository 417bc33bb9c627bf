/// A run of bits in a producer's buffer, the least significant bit of a byte first; it may begin within a
/// byte.
struct Bitmap {
    let bytes: UnsafeRawPointer
    /// In bits, from the beginning of the buffer.
    let start: Int
    let count: Int

    var byteCount: Int { (count + 7) / 8 }

    /// How many bits are set.
    var ones: Int {
        var ones = 0
        var index = 0
        while index < count {
            ones += word(at: index).nonzeroBitCount
            index += 64
        }
        return ones
    }

    /// Writes the bits from the first one of a byte on; those behind the last are zeros.
    ///
    /// - Precondition: there is room for `byteCount` bytes.
    func copy(to target: UnsafeMutableRawPointer) {
        var index = 0
        while index < count {
            let word = word(at: index)
            let first = index / 8
            if byteCount - first >= 8 {
                target.storeBytes(of: word.littleEndian, toByteOffset: first, as: UInt64.self)
            } else {
                for byte in 0..<(byteCount - first) {
                    let bits = UInt8(truncatingIfNeeded: word >> (8 * byte))
                    target.storeBytes(of: bits, toByteOffset: first + byte, as: UInt8.self)
                }
            }
            index += 64
        }
    }

    /// The next 64 bits, or what is left of them: nothing is read behind the byte of the last bit.
    private func word(at index: Int) -> UInt64 {
        let first = start + index
        let wanted = min(64, count - index)
        let shift = first % 8
        let available = (shift + wanted + 7) / 8
        let source = bytes + first / 8
        var word: UInt64 = 0
        if available >= 8 {
            word = UInt64(littleEndian: source.loadUnaligned(as: UInt64.self)) >> shift
            if available == 9 {
                word |= UInt64(source.load(fromByteOffset: 8, as: UInt8.self)) << (64 - shift)
            }
        } else {
            for byte in 0..<available {
                word |= UInt64(source.load(fromByteOffset: byte, as: UInt8.self)) << (8 * byte)
            }
            word >>= shift
        }
        return wanted == 64 ? word : word & (1 << wanted - 1)
    }
}
