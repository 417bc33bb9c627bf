import Synchronization

/// A metric that goes up and down. Safe from any thread; every operation is one relaxed atomic operation.
package final class Gauge: Sendable {
    private let current = Atomic<Int64>(0)

    init() {}

    package func add(_ amount: Int64) { current.wrappingAdd(amount, ordering: .relaxed) }
    package func set(_ amount: Int64) { current.store(amount, ordering: .relaxed) }
    package var value: Int64 { current.load(ordering: .relaxed) }
}
