/// The bytes of a value, made from its number, so that a model need not hold them.
struct ValueBytes {
    private static let sizeMax = 400
    private var buffer = [UInt8](repeating: 0, count: sizeMax + 8)

    /// Values are from 0 to 399 bytes, any two of them different but for the shortest.
    mutating func make(_ number: UInt64) -> [UInt8] {
        let seed = SplitMix64.mix(number)
        let size = Int(seed % UInt64(Self.sizeMax))
        buffer.withUnsafeMutableBytes { bytes in
            var word = seed
            for start in stride(from: 0, to: size, by: 8) {
                bytes.storeBytes(of: word, toByteOffset: start, as: UInt64.self)
                word &+= 0x9E37_79B9_7F4A_7C15
            }
        }
        return Array(buffer[..<size])
    }
}
