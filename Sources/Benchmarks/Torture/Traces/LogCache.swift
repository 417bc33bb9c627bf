import Platform
import StorageEngine

/// A log used as a cache, with the memory for a tenth of its keys, and what was put into it.
struct LogCache {
    static let valueBytes = 100
    /// What a key may cost beyond its bytes.
    private static let overheadBytes = 64
    /// By how much a log may pass its limit: a batch that is being filled, and the index.
    private static let slackBytes = 2 << 20

    let test: TestEngine
    let log: Log
    let limitBytes: Int
    /// The offset of each key's last put; -1: never put.
    private(set) var offsets: [Int64]
    private var numbers: [Int64]
    private var value = [UInt8](repeating: 0x76, count: valueBytes)
    private let barrier: EvictionBarrier
    private(set) var gets = 0
    private(set) var misses = 0
    private(set) var peakBytes = 0

    init(keys: Int, eviction: LogConfiguration.Eviction) throws {
        let limit = keys / 10 * (8 + Self.valueBytes + Self.overheadBytes)
        test = TestEngine(maxMemoryBytes: 2 << 30)
        log = try test.log(eviction.rawValue) {
            $0.compaction = .keys
            $0.memory.maxBytes = limit
            $0.memory.eviction = eviction
        }
        barrier = try EvictionBarrier(test)
        limitBytes = limit
        offsets = [Int64](repeating: -1, count: keys)
        numbers = [Int64](repeating: 0, count: keys)
    }

    /// - Throws: `Failure` when what is found is not what was put last.
    mutating func get(_ key: Int) throws -> Bool {
        gets += 1
        let found = try isIntact(key)
        if !found { misses += 1 }
        return found
    }

    /// False when the key is absent. Counts as a use.
    func isIntact(_ key: Int) throws -> Bool {
        var stored: (key: UInt64, number: Int64, count: Int) = (0, 0, 0)
        let found = log.withValue(key) { bytes in
            stored = (
                bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: Int64.self),
                bytes.count
            )
        }
        guard found else { return false }
        try require(
            stored.key == UInt64(key) && stored.number == numbers[key] && stored.count == Self.valueBytes,
            "key \(key) has the value of key \(stored.key), put \(stored.number), not of put \(numbers[key])")
        return true
    }

    mutating func put(_ key: Int, number: Int, _ options: PutOptions = PutOptions()) throws {
        value.withUnsafeMutableBytes { bytes in
            bytes.storeBytes(of: UInt64(key), as: UInt64.self)
            bytes.storeBytes(of: Int64(number), toByteOffset: 8, as: Int64.self)
        }
        let result = try log.put(key, value.span.bytes, options)
        offsets[key] = result.revision.offset.rawValue
        numbers[key] = Int64(number)
    }

    mutating func sampleMemory() throws {
        peakBytes = max(peakBytes, log.chargedBytes)
        try require(
            peakBytes <= limitBytes + Self.slackBytes,
            "the log takes \(mebibytes(peakBytes)), its limit is \(mebibytes(limitBytes))")
    }

    /// No eviction is under way afterwards, and none begins before the next put.
    func settle() throws { try barrier.settle(log, watermarkBytes: limitBytes / 10 * 9) }

    /// - Throws: `Failure` when something else than the last put is there.
    func liveOffset(_ key: Int) throws -> Int64? {
        guard let record = log.record(key) else { return nil }
        try require(
            record.offset.rawValue == offsets[key],
            "key \(key) is there with offset \(record.offset.rawValue), put last at \(offsets[key])")
        return record.offset.rawValue
    }

    var memoryText: String {
        "memory at most \(peakBytes) of \(limitBytes) bytes; at the end \(log.keyCount) keys, "
            + "\(log.memoryBytes(.payload)) bytes of payload and \(log.memoryBytes(.index)) of index"
    }
}
