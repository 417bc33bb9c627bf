import Platform
import StorageEngine
import Support
import Testing

@Suite("A log against the simplest model of it")
struct RandomOperationsTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        let compactsKeys: Bool
        let kind: ModelHost.Kind
        let seed: UInt64
        var testDescription: String { "keys: \(compactsKeys), \(kind.rawValue), seed: \(seed)" }
    }

    static let settings = (1...3).flatMap { seed in
        [false, true].flatMap { compacts in
            ModelHost.Kind.allCases.map { Setting(compactsKeys: compacts, kind: $0, seed: UInt64(seed)) }
        }
    }

    @Test(
        "random appends, puts, deletes, increments, touches, trims, expiry and restarts agree with the model",
        arguments: settings)
    func random(_ setting: Setting) throws {
        var run = try ModelRun(setting)
        // Persistent runs recover and compare again and again.
        let steps = setting.kind == .memory || setting.kind == .held ? 2_000 : 800
        for _ in 0..<steps { try run.step() }
        try run.compare()
        run.host.stop()
    }
}

private struct ModelRun {
    let host: ModelHost
    let compactsKeys: Bool
    var model = LogModel()
    var random: SplitMix

    init(_ setting: RandomOperationsTests.Setting) throws {
        compactsKeys = setting.compactsKeys
        host = try ModelHost(setting.kind) { $0.compaction = setting.compactsKeys ? .keys : .none }
        random = SplitMix(state: setting.seed)
    }

    var log: Log { host.log }
    var now: Int64 { host.clock.now() }

    mutating func step() throws {
        let key = "key-\(Int.random(in: 0..<40, using: &random))"
        // Values of very different sizes fill batches in different ways.
        let length = [3, 3, 30, 300, 5000].randomElement(using: &random) ?? 3
        let value = "\(model.rows.count):" + String(repeating: "v", count: length)
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: try put(key, value)
        case 30..<45: try append(value)
        case 45..<55: try batch(value)
        case 55..<65: try delete(key)
        case 65..<72: try increment("counter-\(key)")
        case 72..<78: try touch(key)
        case 78..<80: try trim()
        case 80..<84: host.pass(milliseconds: Int64.random(in: 0...400, using: &random))
        case 84..<86: try compare()
        case 86: try host.checkpoint()
        case 87: try host.restart()
        default: #expect(log.get(key) == model.current(key, now: now)?.row.value)
        }
    }

    /// Runs a write and its commit.
    private func settled<Value: Sendable>(_ outcome: Outcome<Value>) -> Settled<Value> {
        host.settled(outcome)
    }

    private mutating func deadline() -> Int64 {
        Bool.random(using: &random) ? .max : now + Int64.random(in: 1...1000, using: &random)
    }

    private mutating func put(_ key: String, _ value: String) throws {
        let deadline = deadline()
        let result = settled(try log.put(key, value) { $0.expiry = .at(milliseconds: deadline) }).value
        #expect(result?.revision.offset == Offset(Int64(model.rows.count)))
        // A key that has expired but was not swept yet counts as replaced only where the commit is asynchronous.
        if host.kind == .memory { #expect(result?.isNew == (model.current(key, now: now) == nil)) }
        model.append(key: key, value: value, deadline: deadline)
    }

    private mutating func append(_ value: String) throws {
        let deadline = deadline()
        _ = settled(try log.append([value], deadlines: [deadline]))
        model.append(key: nil, value: value, deadline: deadline)
    }

    private mutating func batch(_ value: String) throws {
        let keys = (0..<Int.random(in: 1...50, using: &random)).map { index -> String? in
            index % 3 == 0 ? nil : "key-\(Int.random(in: 0..<40, using: &random))"
        }
        let values = keys.indices.map { "\(value)/\($0)" }
        let result = settled(try log.append(values, keys: keys)).value
        #expect(result?.ranges.first?.start == Offset(Int64(model.rows.count)))
        for (key, value) in zip(keys, values) { model.append(key: key, value: value) }
    }

    private mutating func delete(_ key: String) throws {
        let exists = model.current(key, now: now) != nil
        do {
            _ = settled(try log.delete(key))
            #expect(exists)
            model.append(key: key, value: "", isTombstone: true)
        } catch EngineError.keyNotFound {
            #expect(!exists)
        }
    }

    private mutating func increment(_ key: String) throws {
        let current = model.current(key, now: now)
        let old = current.flatMap { Int64($0.row.value) } ?? 0
        let result = settled(try log.increment(key) { $0.by = 7 }).value
        #expect(result?.value == old + 7)
        model.append(key: key, value: "\(old + 7)", deadline: current?.row.deadline ?? .max)
    }

    private mutating func touch(_ key: String) throws {
        let current = model.current(key, now: now)
        let deadline = deadline()
        do {
            let outcome = try log.touch(
                key: Array(key.utf8).span.bytes, expiry: .at(milliseconds: deadline), condition: .none,
                acknowledgement: nil)
            _ = settled(outcome)
            model.append(key: key, value: try #require(current).row.value, deadline: deadline)
        } catch EngineError.keyNotFound {
            #expect(current == nil)
        }
    }

    private mutating func trim() throws {
        let target = min(model.rows.count, model.first + Int.random(in: 0...200, using: &random))
        _ = settled(try log.trim(partition: 0, before: Offset(Int64(target))))
        model.first = max(model.first, target)
    }

    func compare() throws {
        let (required, allowed) = model.readable(compactsKeys: compactsKeys, now: now)
        let bounds = try log.bounds(partition: 0)
        #expect(bounds.tail == Offset(Int64(model.rows.count)))
        #expect(bounds.first == Offset(Int64(model.first)))
        let records = try log.read(partition: 0, from: .firstKept, limit: .max, maxBytes: .max, clamps: false)
            .records
        let offsets = records.map { Int($0.offset.rawValue) }
        #expect(Set(offsets).isSuperset(of: required))
        #expect(Set(offsets).isSubset(of: allowed))
        #expect(offsets == offsets.sorted())
        for (record, offset) in zip(records, offsets) {
            #expect(String(decoding: record.value, as: UTF8.self) == model.rows[offset].value)
            #expect(record.key.map { String(decoding: $0, as: UTF8.self) } == model.rows[offset].key)
            #expect(record.type.isTombstone == model.rows[offset].isTombstone)
            #expect(record.deadline == model.rows[offset].deadline)
        }
        let listing = try log.keys(prefix: [], startAfter: nil, limit: 1000)
        #expect(
            listing.records.compactMap { $0.key.map { String(decoding: $0, as: UTF8.self) } }
                == model.liveKeys(now: now))
        for key in model.newest.keys { #expect(log.get(key) == model.current(key, now: now)?.row.value) }
    }
}
