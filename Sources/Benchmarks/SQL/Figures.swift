import Glibc
import Platform
import Synchronization

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func milliseconds(since start: Int64) -> Int64 { (Clock.monotonicNanoseconds() - start) / 1_000_000 }

/// Milliseconds with two digits.
func text(_ seconds: Double) -> String { String((seconds * 100_000).rounded() / 100) }

func ratio(_ value: Double) -> String { String((value * 100).rounded() / 100) }

func pauseMicroseconds(_ count: UInt32) { usleep(count) }

final class Stopper: Sendable {
    private let stopped = Atomic<Bool>(false)
    var isStopped: Bool { stopped.load(ordering: .relaxed) }
    func stop() { stopped.store(true, ordering: .relaxed) }
}
