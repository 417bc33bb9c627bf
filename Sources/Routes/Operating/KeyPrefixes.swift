import StorageEngine

/// Which beginnings of keys take most of a log's memory, estimated from a sample of bounded size.
struct KeyPrefixes {
    struct Prefix {
        let bytes: [UInt8]
        /// Of the sampled bytes, 0 to 1.
        let share: Double
        let estimatedKeys: Int
        let estimatedBytes: Int
    }

    private static let sampledMax = 2000
    private static let prefixesMax = 10
    /// A prefix that holds nearly all says nothing: it is divided at its next delimiter.
    private static let dividedFrom = 0.9

    /// The largest first. - Parameter bytes: of the log's memory, which the shares are of.
    static func largest(of log: Log, bytes: Int) -> [Prefix] {
        let sample = log.sampleKeys(atMost: sampledMax)
        let total = sample.reduce(0) { $0 + $1.bytes }
        guard total > 0 else { return [] }
        var level = 1
        var groups = group(sample, level)
        while level < 8, let largest = groups.first, Double(largest.value.bytes) / Double(total) > dividedFrom
        {
            level += 1
            let finer = group(sample, level)
            // Only as long as it divides into parts, not into single keys.
            guard finer.count > groups.count, finer.count <= sample.count / 4 else { break }
            groups = finer
        }
        let keys = log.keyCount
        return groups.prefix(prefixesMax).map { prefix, sums in
            let share = Double(sums.bytes) / Double(total)
            return Prefix(
                bytes: prefix, share: share,
                estimatedKeys: Int(Double(keys) * Double(sums.keys) / Double(sample.count)),
                estimatedBytes: Int(Double(bytes) * share))
        }
    }

    private typealias Sums = (keys: Int, bytes: Int)

    private static func group(_ sample: [(key: [UInt8], bytes: Int)], _ level: Int) -> [(
        key: [UInt8], value: Sums
    )] {
        var groups: [[UInt8]: Sums] = [:]
        for (key, bytes) in sample {
            let sums = groups[prefix(of: key, level), default: (0, 0)]
            groups[prefix(of: key, level)] = (sums.keys + 1, sums.bytes + bytes)
        }
        return groups.sorted { ($1.value.bytes, $0.key.count) < ($0.value.bytes, $1.key.count) }
    }

    /// Up to and including the `level`-th delimiter; the part that has one, where there are fewer.
    private static func prefix(of key: [UInt8], _ level: Int) -> [UInt8] {
        var end = 0
        var found = 0
        for (index, byte) in key.enumerated() where ":/.-_|#".utf8.contains(byte) {
            end = index + 1
            found += 1
            if found == level { break }
        }
        return Array(key[..<end])
    }
}
