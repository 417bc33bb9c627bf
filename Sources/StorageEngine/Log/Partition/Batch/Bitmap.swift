/// One bit a row. Shared by reference with cuts: whoever wants to change it makes sure first that nobody else holds it.
final class Bitmap: @unchecked Sendable {
    // Sendable: changed only under the partition's lock while uniquely referenced; holders of a shared one only read.
    let words: UnsafeMutablePointer<UInt64>
    let wordCount: Int

    /// All bits set.
    init(rows: Int) {
        wordCount = (rows + 63) / 64
        words = .allocate(capacity: wordCount)
        words.initialize(repeating: .max, count: wordCount)
    }

    /// - Precondition: the bytes are eight for every 64 rows.
    init(rows: Int, words source: UnsafeRawBufferPointer) {
        wordCount = (rows + 63) / 64
        precondition(source.count == wordCount * 8)
        words = .allocate(capacity: wordCount)
        UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: words, count: wordCount))
            .copyMemory(from: source)
    }

    private init(copying other: Bitmap) {
        wordCount = other.wordCount
        words = .allocate(capacity: wordCount)
        words.initialize(from: other.words, count: wordCount)
    }

    deinit { words.deallocate() }

    var allocatedBytes: Int { wordCount * 8 }

    func copy() -> Bitmap { Bitmap(copying: self) }

    @inline(__always)
    func contains(_ row: Int) -> Bool { words[row >> 6] & (1 &<< UInt64(row & 63)) != 0 }

    func clear(_ row: Int) { words[row >> 6] &= ~(1 &<< UInt64(row & 63)) }

    /// Clears a bit. - Returns: 1 when it was set.
    @inline(__always)
    func take(_ row: Int) -> Int {
        let word = words[row >> 6]
        words[row >> 6] = word & ~(1 &<< UInt64(row & 63))
        return Int(truncatingIfNeeded: word &>> UInt64(row & 63)) & 1
    }

    func set(_ row: Int) { words[row >> 6] |= 1 &<< UInt64(row & 63) }

    /// The number of set bits among rows `range`. - Complexity: O(words).
    func count(in range: Range<Int>) -> Int {
        var total = 0
        var row = range.lowerBound
        while row < range.upperBound {
            let bit = row & 63
            let span = min(64 - bit, range.upperBound - row)
            let mask: UInt64 = span == 64 ? .max : ((1 &<< UInt64(span)) &- 1) &<< UInt64(bit)
            total &+= (words[row >> 6] & mask).nonzeroBitCount
            row += span
        }
        return total
    }
}
