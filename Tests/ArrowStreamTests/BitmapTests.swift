import Testing

@testable import ArrowStream

@Suite("Runs of bits")
struct BitmapTests {
    @Test("any run is counted and copied as bit by bit, and nothing behind it is read or written")
    func everyRun() {
        // A generator of our own: the same bits every time.
        var state: UInt64 = 7
        let source = (0..<40).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        func bit(_ index: Int) -> Bool { source[index / 8] >> (index % 8) & 1 == 1 }
        for start in 0..<20 {
            for count in 0...(source.count * 8 - start) {
                // Memory of exactly the bytes that hold the run.
                let memory = Array(source.prefix((start + count + 7) / 8))
                var expected = [UInt8](repeating: 0, count: (count + 7) / 8)
                var ones = 0
                for index in 0..<count where bit(start + index) {
                    expected[index / 8] |= 1 << (index % 8)
                    ones += 1
                }
                var target = [UInt8](repeating: 0xEE, count: expected.count + 8)
                memory.withUnsafeBytes { memory in
                    target.withUnsafeMutableBytes { target in
                        guard let source = memory.baseAddress, let target = target.baseAddress else { return }
                        let bitmap = Bitmap(bytes: source, start: start, count: count)
                        if bitmap.ones != ones {
                            Issue.record("\(start), \(count): \(bitmap.ones) of \(ones)")
                        }
                        bitmap.copy(to: target)
                    }
                }
                guard !memory.isEmpty else { continue }
                if target != expected + [UInt8](repeating: 0xEE, count: 8) {
                    Issue.record("\(start), \(count)")
                }
            }
        }
    }
}
