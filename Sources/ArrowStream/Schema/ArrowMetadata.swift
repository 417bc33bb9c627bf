/// A pair of the metadata of a field: extension types such as `arrow.json` are told here.
struct ArrowMetadata: Equatable {
    let key: [UInt8]
    let value: [UInt8]

    /// Reads the metadata of a C schema: the number of pairs, then the length and the bytes of each key and
    /// value, with all numbers native 32-bit ones. Nothing says where it ends but these.
    ///
    /// - Returns: nil if a number is negative.
    static func read(_ bytes: UnsafeRawPointer?) -> [ArrowMetadata]? {
        guard let bytes else { return [] }
        var position = bytes
        func number() -> Int? {
            let number = position.loadUnaligned(as: Int32.self)
            position += 4
            return number >= 0 ? Int(number) : nil
        }
        func text() -> [UInt8]? {
            guard let count = number() else { return nil }
            defer { position += count }
            return [UInt8](UnsafeRawBufferPointer(start: position, count: count))
        }
        guard let count = number() else { return nil }
        var pairs: [ArrowMetadata] = []
        for _ in 0..<count {
            guard let key = text(), let value = text() else { return nil }
            pairs.append(ArrowMetadata(key: key, value: value))
        }
        return pairs
    }

    /// A table `KeyValue`.
    var table: FlatTable { [0: .string(key), 1: .string(value)] }
}
