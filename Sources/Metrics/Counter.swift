import Synchronization

/// A metric that only grows. Safe from any thread; adding is one relaxed atomic operation.
package final class Counter: Sendable {
    private let total = Atomic<UInt64>(0)

    init() {}

    package func add(_ amount: UInt64 = 1) { total.wrappingAdd(amount, ordering: .relaxed) }
    package var value: UInt64 { total.load(ordering: .relaxed) }
}
