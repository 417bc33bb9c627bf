import Platform

/// Nanoseconds in buckets that are at most a 32nd wide, so that any number of operations fits.
struct LatencyHistogram {
    private static let subBits = 5
    private var counts = [Int](repeating: 0, count: 64 << subBits)
    private(set) var count = 0
    private(set) var max: Int64 = 0

    mutating func record(_ nanoseconds: Int64) {
        counts[Self.bucket(of: nanoseconds)] += 1
        count += 1
        max = Swift.max(max, nanoseconds)
    }

    /// Runs and times it.
    @inline(__always)
    mutating func time<Result>(_ body: () throws -> Result) rethrows -> Result {
        let start = Clock.monotonicNanoseconds()
        defer { record(Clock.monotonicNanoseconds() - start) }
        return try body()
    }

    /// The upper end of the bucket in which this share of all operations is reached.
    func quantile(_ share: Double) -> Int64 {
        let wanted = Int((Double(count) * share).rounded(.up))
        var seen = 0
        for (bucket, number) in counts.enumerated() where number > 0 {
            seen += number
            if seen >= wanted { return min(max, Self.end(ofBucket: bucket)) }
        }
        return max
    }

    private static func bucket(of nanoseconds: Int64) -> Int {
        let value = UInt64(Swift.max(0, nanoseconds))
        guard value >= 1 << UInt64(subBits) else { return Int(value) }
        let shift = 63 - value.leadingZeroBitCount - subBits
        return (shift + 1) << subBits + Int(value >> UInt64(shift)) - 1 << subBits
    }

    private static func end(ofBucket bucket: Int) -> Int64 {
        let shift = bucket >> subBits - 1
        guard shift >= 0 else { return Int64(bucket) }
        let lead = Int64(bucket & (1 << subBits - 1) + 1 << subBits)
        return (lead + 1) << Int64(shift) - 1
    }
}
