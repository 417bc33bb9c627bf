/// The parts of a path that a pattern's braces took, as places in it.
struct Captures {
    static let countMax = 4

    private var places = InlineArray<4, (start: Int, end: Int, isEncoded: Bool)>(repeating: (0, 0, false))
    private(set) var count = 0

    mutating func append(_ start: Int, _ end: Int, isEncoded: Bool) {
        places[count] = (start, end, isEncoded)
        count += 1
    }

    /// - Throws: `badPercentEncoding`.
    func decoded(from path: UnsafeRawBufferPointer) throws(HTTPFailure) -> [[UInt8]] {
        switch count {
        case 0: return []
        case 1: return [try decoded(0, from: path)]
        case 2: return [try decoded(0, from: path), try decoded(1, from: path)]
        default:
            var result: [[UInt8]] = []
            for index in 0..<count { result.append(try decoded(index, from: path)) }
            return result
        }
    }

    private func decoded(_ index: Int, from path: UnsafeRawBufferPointer) throws(HTTPFailure) -> [UInt8] {
        let place = places[index]
        let bytes = UnsafeRawBufferPointer(rebasing: path[place.start..<place.end])
        guard place.isEncoded else { return Array(bytes) }
        guard let decoded = PercentCoding.decode(bytes) else { throw .badPercentEncoding(where: "path") }
        return decoded
    }
}
