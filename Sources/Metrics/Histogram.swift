import Synchronization

/// Counts of observed values by upper bound, and their sum. Safe from any thread, without a lock.
///
/// A scrape may see a value counted whose sum is still on its way; the counts themselves always agree, because
/// the total is the sum of the buckets that were read.
package final class Histogram: @unchecked Sendable {
    // Sendable: `cells` never changes after init and its elements are atomics.
    let bounds: [Double]
    private let cells: UnsafeMutablePointer<Atomic<UInt64>>
    /// The bit pattern of a `Double`.
    private let sumBits = Atomic<UInt64>(Double.zero.bitPattern)

    /// - Parameter bounds: upper bounds, ascending, without +Inf.
    init(bounds: [Double]) {
        precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bucket bounds must ascend")
        self.bounds = bounds
        cells = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (cells + index).initialize(to: Atomic(0)) }
    }

    deinit {
        cells.deinitialize(count: bounds.count + 1)
        cells.deallocate()
    }

    /// Counts `value` in the lowest bucket whose bound is not below it. NaN is ignored: it would spoil the sum for ever.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        var index = 0
        while index < bounds.count, bounds[index] < value { index += 1 }
        cells[index].wrappingAdd(1, ordering: .relaxed)
        var old = sumBits.load(ordering: .relaxed)
        while true {
            let new = (Double(bitPattern: old) + value).bitPattern
            let attempt = sumBits.weakCompareExchange(expected: old, desired: new, ordering: .relaxed)
            if attempt.exchanged { return }
            old = attempt.original
        }
    }

    /// How many values fell into each bucket, not cumulated; the last one is +Inf.
    package var counts: [UInt64] { (0...bounds.count).map { cells[$0].load(ordering: .relaxed) } }
    package var sum: Double { Double(bitPattern: sumBits.load(ordering: .relaxed)) }
}
