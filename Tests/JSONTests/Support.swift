import JSON
import Platform

/// A text in a buffer of its own, as a request's body is.
func buffer(_ text: String) -> ByteBuffer { ByteBuffer(Array(text.utf8)) }

extension RecordParser {
    /// The texts of the values found.
    func values(in text: ByteBuffer) -> [String] {
        found.values.map { string($0, in: text) }
    }

    func keys(in text: ByteBuffer) -> [String]? {
        found.keys.map { keys in keys.map { string($0, in: text) } }
    }

    func string(_ slice: RecordSlice, in text: ByteBuffer) -> String {
        defer { withExtendedLifetime(text) {} }
        let source = slice.isScratch ? found.scratch : text.bytes
        let start = Int(slice.start)
        return String(decoding: source[start..<start + Int(slice.count)], as: UTF8.self)
    }
}

/// The failure of a call that must fail.
func failure(_ body: () throws(RecordFailure) -> Void) -> RecordFailure? {
    do throws(RecordFailure) {
        try body()
        return nil
    } catch {
        return error
    }
}

func array(ofDepth depth: Int) -> String {
    String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
}

/// Reproducible: the seed is in the test.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ (state >> 29)) &* 0x9E37_79B9_7F4A_7C15
    }
}
