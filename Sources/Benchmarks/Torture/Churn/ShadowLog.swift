import Platform
import StorageEngine

/// A log, and what must be in it: of each key the number of its last value, the deadline and the offset.
final class ShadowLog {
    static let keys = 20_000
    /// The last keys are counters, whose value is a decimal number.
    static let firstCounter = keys - 1000
    private static let absent: UInt64 = 0

    let log: Log
    /// Whether live keys may leave: evicted, or past retention.
    let isLossy: Bool
    private var numbers = [UInt64](repeating: absent, count: keys)
    private var deadlines = [Int64](repeating: Deadline.never, count: keys)
    private var offsets = [Int64](repeating: -1, count: keys)
    private var values = ValueBytes()
    /// Live keys that were found gone.
    private(set) var lost = 0

    init(_ log: Log) {
        self.log = log
        let configuration = log.configuration
        isLossy = configuration.memory.eviction != .reject || configuration.retention.maxBytes != nil
    }

    static func isCounter(_ key: Int) -> Bool { key >= firstCounter }

    // MARK: The model

    func isLive(_ key: Int, at now: Int64) -> Bool { numbers[key] != Self.absent && deadlines[key] > now }

    func deadline(_ key: Int) -> Int64 { deadlines[key] }

    func revision(_ key: Int) -> Revision? {
        guard offsets[key] >= 0 else { return nil }
        return revision(key, Offset(offsets[key]))
    }

    private func revision(_ key: Int, _ offset: Offset) -> Revision {
        let partition = withUnsafeBytes(of: UInt64(key)) { log.partition(ofKey: $0.bytes) }
        return Revision(partition: partition, offset: offset, epoch: log.epoch)
    }

    func value(_ number: UInt64) -> [UInt8] { values.make(number) }

    /// A counter's number: zero would be absent.
    private static func number(counting value: Int64) -> UInt64 { UInt64(value) + 1 }

    private func counter(_ key: Int, at now: Int64) -> Int64 {
        isLive(key, at: now) ? Int64(numbers[key] - 1) : 0
    }

    // MARK: What was seen

    func found(_ record: Record, _ key: Int, at now: Int64) throws {
        try require(isLive(key, at: now), "\(name(key)) is there: \(state(key, now))")
        try require(
            record.offset.rawValue == offsets[key] && record.deadline == deadlines[key],
            "\(name(key)) has offset \(record.offset.rawValue) and deadline \(record.deadline): \(state(key, now))"
        )
        let expected =
            Self.isCounter(key) ? Array(String(counter(key, at: now)).utf8) : values.make(numbers[key])
        let isEqual = expected.withUnsafeBytes { expected in
            expected.count == record.value.count && zip(expected, record.value).allSatisfy { $0 == $1 }
        }
        try require(
            isEqual, "\(name(key)) has another value of \(record.value.count) bytes: \(state(key, now))")
    }

    /// A key is not there; it must not come back by itself.
    func missing(_ key: Int, at now: Int64) throws {
        if isLive(key, at: now) {
            try require(isLossy, "\(name(key)) is gone: \(state(key, now))")
            lost += 1
        }
        numbers[key] = Self.absent
        offsets[key] = -1
    }

    func look(_ key: Int, at now: Int64) throws {
        if let record = log.record(key) {
            try found(record, key, at: now)
        } else {
            try missing(key, at: now)
        }
    }

    // MARK: What was done

    /// - Parameter isNew: what the engine said; nil where it says nothing.
    func put(_ key: Int, _ number: UInt64, deadline: Int64, _ revision: Revision, isNew: Bool?, at now: Int64)
        throws
    {
        if let isNew { try check(isNew: isNew, key, at: now) }
        try check(revision, key)
        numbers[key] = number
        deadlines[key] = deadline
    }

    func touched(_ key: Int, deadline: Int64, _ revision: Revision, at now: Int64) throws {
        try require(isLive(key, at: now), "\(name(key)) was touched: \(state(key, now))")
        try check(revision, key)
        deadlines[key] = deadline
    }

    func deleted(_ key: Int, _ revision: Revision, at now: Int64) throws {
        try require(isLive(key, at: now), "\(name(key)) was deleted: \(state(key, now))")
        try check(revision, key)
        numbers[key] = Self.absent
        offsets[key] = -1
    }

    func incremented(_ key: Int, to value: Int64, by step: Int64, _ revision: Revision, at now: Int64) throws
    {
        if value != counter(key, at: now) + step { try missing(key, at: now) }
        try require(
            value == counter(key, at: now) + step,
            "\(name(key)) became \(value) by \(step): \(state(key, now))")
        if !isLive(key, at: now) { deadlines[key] = Deadline.never }
        try check(revision, key)
        numbers[key] = Self.number(counting: value)
    }

    private func check(isNew: Bool, _ key: Int, at now: Int64) throws {
        if isNew { return try missing(key, at: now) }
        try require(isLive(key, at: now), "\(name(key)) was replaced: \(state(key, now))")
    }

    /// A later write has a higher offset, and goes to the key's partition.
    private func check(_ revision: Revision, _ key: Int) throws {
        try require(
            revision == self.revision(key, revision.offset) && revision.offset.rawValue > offsets[key],
            "\(name(key)) got revision \(revision.text) after offset \(offsets[key])")
        offsets[key] = revision.offset.rawValue
    }

    // MARK: Words

    private func name(_ key: Int) -> String { "key \(key) of \(log.name)" }

    private func state(_ key: Int, _ now: Int64) -> String {
        "the model has number \(numbers[key]), deadline \(deadlines[key]), offset \(offsets[key]) at \(now)"
    }
}
