import Glibc
import Platform

/// What the machine's memory gives one thread, and two at once: the limit of everything that goes through records in order.
struct MemoryBus {
    /// Bytes a second, of all threads together.
    struct Rates {
        let threads: Int
        let read: Double
        let write: Double
        /// Each of these bytes is read and written.
        let copy: Double
    }

    /// For one thread and for two.
    let rates: [Rates]
    var both: Rates { rates[1] }

    /// Many times what any cache holds.
    private static let bytes = 256 << 20

    init() {
        let memory = (0..<4).map { _ in Self.memory() }
        defer { for piece in memory { piece.deallocate() } }
        rates = (1...2).map { threads in
            func rate(_ body: @escaping @Sendable (_ target: Buffer, _ source: Buffer) -> Void) -> Double {
                medianRate(count: threads * Self.bytes) {
                    onThreads(threads) { body(memory[2 * $0], memory[2 * $0 + 1]) }
                }
            }
            return Rates(
                threads: threads,
                read: rate { _, source in source.sum() },
                write: rate { target, _ in target.fill() },
                copy: rate { target, source in target.copy(source) })
        }
    }

    var measurements: [Measurement] {
        rates.flatMap { rates in
            let threads = rates.threads == 1 ? "one thread" : "two threads"
            let kinds = [("read", rates.read), ("written", rates.write), ("copied", rates.copy)]
            return kinds.map { name, rate in
                Measurement(
                    name: "memory \(name) in order", conditions: "\(threads), 256 MiB each",
                    value: rate / 1e9, unit: "GB/s")
            }
        }
    }

    private static func memory() -> Buffer {
        let memory = Buffer(
            start: .allocate(byteCount: bytes, alignment: 2 << 20), count: bytes)
        madvise(memory.start, bytes, MADV_HUGEPAGE)
        memory.fill()
        return memory
    }

    /// One thread's at a time.
    private struct Buffer: @unchecked Sendable {
        // Sendable: while a thread works on one, nobody else does.
        let start: UnsafeMutableRawPointer
        let count: Int

        func fill() { memset(start, 0x61, count) }
        func copy(_ source: Buffer) { memcpy(start, source.start, count) }
        func deallocate() { start.deallocate() }

        func sum() {
            let words = UnsafeRawBufferPointer(start: start, count: count).bindMemory(to: UInt64.self)
            precondition(words.reduce(0, &+) != 0)
        }
    }
}
