import Platform
import StorageEngine

/// Random operations on logs of all kinds, noted in a ledger. The same seed sends the same.
package struct Workload {
    package let ledger: Ledger
    private let engine: Engine
    private let clock: Clock
    private var random: SplitMix
    /// Names of logs that come and go.
    private var extras: [String] = []
    private var made: Int
    private var sequences: [String: Int64] = [:]

    private static let keyed = ["keys", "wide"]
    private static let durable = ["keys", "wide", "plain", "interval", "never"]

    /// - Parameter life: how often the engine was started before; names and values of each life are its own.
    package init(_ engine: Engine, _ clock: Clock, _ ledger: Ledger, seed: UInt64, life: Int = 0) {
        self.engine = engine
        self.clock = clock
        self.ledger = ledger
        random = SplitMix(state: seed &+ UInt64(life) &* 7919)
        made = life * 1_000_000
    }

    /// The logs that are always there.
    package mutating func create() {
        create("keys") { $0.compaction = .keys }
        create("wide") {
            $0.compaction = .keys
            $0.partitions = 3
        }
        create("plain") { _ in }
        create("interval") {
            $0.compaction = .keys
            $0.durability.synchronisation = .interval
            $0.durability.synchronisationIntervalMilliseconds = 3_600_000
        }
        create("never") {
            $0.partitions = 2
            $0.durability.synchronisation = .never
        }
        create("memory") { $0.mode = .memory }
        ledger.waitForAll()
    }

    package mutating func run(steps: Int) {
        for _ in 0..<steps { step() }
        ledger.waitForAll()
    }

    private mutating func create(_ name: String, _ change: (inout LogConfiguration) -> Void) {
        var configuration = LogConfiguration()
        configuration.mode = .persistent
        change(&configuration)
        if configuration.availableAcknowledgement == .disk {
            configuration.durability.acknowledgement = .disk
        }
        let operation = ledger.begin("create \(name)")
        ledger.send(operation) { () throws(EngineError) in
            let (log, _, durable) = try engine.createLog(named: name, configuration)
            ledger.noteCreation(operation, of: log)
            return durable
        }
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<28: put()
        case 28..<42: batch()
        case 42..<54: transaction()
        case 54..<62: produce()
        case 62..<68: delete()
        case 68..<72: trim()
        case 72..<76: memory()
        case 76..<80: large()
        case 80..<83: createOrDelete()
        case 83: update()
        case 84..<88: pass()
        case 88..<93: checkpoint()
        default: ledger.waitForAll()
        }
    }

    private mutating func key() -> String { "key-\(Int.random(in: 0..<12, using: &random))" }

    private mutating func value(_ length: Int? = nil) -> String {
        made += 1
        let length = length ?? [2, 20, 200, 1500].randomElement(using: &random) ?? 2
        return "\"\(made)-" + String(repeating: "v", count: length) + "\""
    }

    private func log(_ name: String) -> Log? { engine.log(named: name) }

    // MARK: Rows

    private mutating func put() {
        let names = Self.keyed + ["interval"] + extras
        guard let log = log(names.randomElement(using: &random) ?? "keys") else { return }
        let (key, value) = (key(), value())
        let expires = Int.random(in: 0..<4, using: &random) == 0
        let deadline = expires ? clock.now() + Int64.random(in: 1...400, using: &random) : .max
        let operation = ledger.begin("put \(key) in \(log.name)")
        let partition = log.partition(ofKey: Array(key.utf8).span.bytes)
        ledger.row(operation, log.name, partition, key: key, value: value, deadline: deadline)
        ledger.send(operation) { () throws(EngineError) in
            try log.write(key, value, deadline)
        }
    }

    private mutating func batch() {
        guard let log = log(Self.durable.randomElement(using: &random) ?? "wide") else { return }
        let count = Int.random(in: 1...12, using: &random)
        let isKeyed = log.configuration.compaction == .keys
        let keys = (0..<count).map { _ in isKeyed ? key() : nil }
        let values = (0..<count).map { _ in value(20) }
        var options = AppendOptions()
        if !isKeyed { options.partition = Int.random(in: 0..<log.partitionCount, using: &random) }
        send("batch", keys, values, log, options)
    }

    private func send(
        _ name: String, _ keys: [String?], _ values: [String], _ log: Log, _ options: AppendOptions
    ) {
        let operation = ledger.begin("\(name) of \(values.count) to \(log.name)")
        if let stamp = options.producer { ledger.producer(operation, stamp) }
        for (key, value) in zip(keys, values) {
            let partition =
                options.partition ?? key.map { log.partition(ofKey: Array($0.utf8).span.bytes) } ?? 0
            ledger.row(operation, log.name, partition, key: key, value: value)
        }
        ledger.send(operation) { () throws(EngineError) in
            try log.append(Draft.of(values, keys: keys[0] == nil ? [] : keys), options)
        }
    }

    private mutating func large() {
        guard let log = log(["plain", "interval"].randomElement(using: &random) ?? "plain") else { return }
        let isKeyed = log.configuration.compaction == .keys
        // More than a file of the write-ahead log, now and then.
        let value = value([5_000, 12_000, 40_000].randomElement(using: &random))
        send("large", [isKeyed ? key() : nil], [value], log, AppendOptions())
    }

    private mutating func produce() {
        guard let log = log(["plain", "never", "wide"].randomElement(using: &random) ?? "plain") else {
            return
        }
        var options = AppendOptions()
        let id = "producer-\(log.name)-\(made / 1_000_000)"
        let sequence = sequences[id, default: 0]
        options.producer = ProducerStamp(id: id, epoch: 0, sequence: sequence)
        let isKeyed = log.configuration.compaction == .keys
        if !isKeyed { options.partition = Int(sequence) % log.partitionCount }
        let keys = (0..<3).map { _ in isKeyed ? key() : nil }
        sequences[id] = sequence + 1
        send("producer", keys, (0..<3).map { _ in value(10) }, log, options)
    }

    private mutating func memory() {
        guard let log = log("memory") else { return }
        let operation = ledger.begin("append to memory")
        ledger.send(operation) { () throws(EngineError) in try log.append(Draft.of(["1"]), AppendOptions()) }
    }

    private mutating func transaction() {
        var transaction = Transaction()
        let operation = ledger.begin("transaction")
        let names =
            Int.random(in: 0..<3, using: &random) == 0 ? ["keys", "wide", "interval"] : ["keys", "wide"]
        for name in names {
            guard let log = log(name) else { return }
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let (key, value) = (key(), value(30))
                let put = Transaction.Put(key: Array(key.utf8), value: Array(value.utf8))
                transaction.then.append(.init(log: name, .put(put)))
                let partition = log.partition(ofKey: put.key.span.bytes)
                ledger.row(operation, name, partition, key: key, value: value)
            }
        }
        // What a key is decides: it must be certain.
        ledger.send(operation) { () throws(EngineError) in try engine.transact(transaction) }
        ledger.waitForAll()
    }

    // MARK: What frees

    private mutating func delete() {
        guard let log = log(Self.keyed.randomElement(using: &random) ?? "keys") else { return }
        let key = key()
        ledger.waitForAll()
        let operation = ledger.begin("delete \(key) in \(log.name)")
        let partition = log.partition(ofKey: Array(key.utf8).span.bytes)
        ledger.row(operation, log.name, partition, key: key, value: "", isTombstone: true)
        ledger.send(operation) { () throws(EngineError) in
            try log.delete(
                key: Array(key.utf8).span.bytes, condition: .none, acknowledgement: nil)
        }
    }

    private mutating func trim() {
        guard let log = log(Self.durable.randomElement(using: &random) ?? "plain") else { return }
        ledger.waitForAll()
        let partition = Int.random(in: 0..<log.partitionCount, using: &random)
        // The partition is the log's own.
        guard let bounds = try? log.bounds(partition: partition) else { return }
        let kept = bounds.tail.rawValue - bounds.first.rawValue
        let before = bounds.first.rawValue + Int64.random(in: 0...max(0, kept), using: &random)
        let operation = ledger.begin("trim \(log.name)/\(partition) before \(before)")
        ledger.trim(operation, log.name, partition, before: Int(before))
        ledger.send(operation) { () throws(EngineError) in
            try log.trim(partition: partition, before: Offset(before))
        }
    }

    private mutating func update() {
        guard let log = log((extras + ["wide", "never"]).randomElement(using: &random) ?? "wide") else {
            return
        }
        var configuration = log.configuration
        configuration.memory.maxBytes = (1 << 26) + Int.random(in: 0..<1000, using: &random)
        let operation = ledger.begin("update \(log.name)")
        ledger.noteUpdate(operation, of: log.name, configuration)
        ledger.send(operation) { () throws(EngineError) in
            try engine.updateLog(named: log.name, configuration).durable
        }
    }

    private mutating func createOrDelete() {
        if extras.count > 1, Bool.random(using: &random) {
            let name = extras.removeFirst()
            let operation = ledger.begin("delete log \(name)")
            ledger.noteDeletion(operation, of: name)
            ledger.send(operation) { () throws(EngineError) in try engine.deleteLog(named: name) }
        } else {
            made += 1
            let name = "extra-\(made)"
            extras.append(name)
            create(name) { $0.compaction = .keys }
        }
    }

    private mutating func pass() {
        clock.advance(milliseconds: Int64.random(in: 1...300, using: &random))
        engine.maintainDue()
    }

    private func checkpoint() {
        // On a disk that fails there is none, which changes nothing.
        try? engine.checkpoint()
    }
}

extension Log {
    fileprivate func write(
        _ key: String, _ value: String, _ deadline: Int64
    ) throws(EngineError) -> Outcome<PutResult> {
        var options = PutOptions()
        options.expiry = deadline == .max ? .never : .at(milliseconds: deadline)
        return try put(key: Array(key.utf8).span.bytes, value: Array(value.utf8).span.bytes, options)
    }
}
