@testable import HTTP

/// Bodies in the codings of the wire, and back.
enum Samples {
    static let text = Array(
        String(repeating: "the quick brown fox jumps over the lazy dog\n", count: 200).utf8)

    static func encoded(_ bytes: [UInt8], _ coding: ContentCoding) -> [UInt8] {
        guard let encoder = Encoder(coding) else { return [] }
        var result: [UInt8] = []
        bytes.withUnsafeBytes { bytes in
            var input = UnsafeRawBufferPointer(rebasing: bytes[...])
            var chunk = [UInt8](repeating: 0, count: 4096)
            var isDone = false
            while !isDone {
                let step = chunk.withUnsafeMutableBytes { encoder.step(&input, into: $0, .finish) }
                guard let step else { return }
                result += chunk[..<step.written]
                isDone = step.isDone
            }
        }
        return result
    }

    static func decoded(_ bytes: [UInt8], _ coding: ContentCoding) throws -> [UInt8] {
        var result: [UInt8] = []
        guard let decoder = Decoder(coding) else { return [] }
        try bytes.withUnsafeBytes { try decoder.decode($0) { result += $0 } }
        try decoder.finish()
        return result
    }
}
