import Platform
import StorageEngine

/// What an engine has been through before it was started again.
package enum Calamity: Sendable {
    /// What the operating system had taken is there.
    case kill
    /// What was not synchronised may be gone.
    case powerCut
    /// It was stopped and had written all; whether that was noted is another matter.
    case stop
    /// Without power, and the start after it failed: new epochs may have begun, or all may have been written again.
    case failedStart
}

extension Calamity {
    fileprivate var keepsWhatWasTaken: Bool { self == .kill || self == .stop }
}

extension Ledger {
    /// Compares a recovered engine with what was sent and acknowledged. - Returns: what is wrong.
    package func problems(of engine: Engine, after calamity: Calamity, now: Int64) -> [String] {
        let state = self.state.withLock { $0 }
        var check = Check(state: state, calamity: calamity, now: now)
        for note in state.logs.values.sorted(by: { $0.name < $1.name }) { check.log(note, engine) }
        check.operations()
        check.producers(engine)
        return check.problems
    }

    /// From now on what the engine holds counts as acknowledged, and what it does not was never sent.
    package func adopt(_ engine: Engine) {
        state.withLock { state in
            var tails: [Place: Int] = [:]
            for (name, note) in state.logs {
                guard let log = engine.log(named: name) else {
                    state.logs[name] = nil
                    continue
                }
                state.logs[name]?.epoch = log.epoch
                state.logs[name]?.deletion = nil
                state.logs[name]?.configuration = log.configuration
                state.logs[name]?.updates = []
                for number in note.partitions.indices {
                    // A partition that cannot be read is found by the check.
                    guard let bounds = try? log.bounds(partition: number) else { continue }
                    let tail = Int(bounds.tail.rawValue)
                    tails[Place(log: name, partition: number)] = tail
                    var model = note.partitions[number].prefix(tail)
                    model.first = Int(bounds.first.rawValue)
                    state.logs[name]?.partitions[number] = model
                }
            }
            for number in state.operations.indices { state.adopt(number, tails) }
        }
    }
}

extension Ledger.State {
    fileprivate mutating func adopt(_ number: Int, _ tails: [Ledger.Place: Int]) {
        let operation = operations[number]
        operations[number].rows = operation.rows.filter { place in
            tails[Ledger.Place(log: place.log, partition: place.partition)].map { place.start < $0 } ?? false
        }
        if operations[number].rows.count < operation.rows.count {
            operations[number].producer = nil
            operations[number].status = .refused
        } else if operation.status == .sent || operation.status == .unknown {
            operations[number].status = .acknowledged
        }
        operations[number].trim = nil
    }
}

private struct Check {
    let state: Ledger.State
    let calamity: Calamity
    let now: Int64
    var problems: [String] = []
    private var tails: [Ledger.Place: Int] = [:]

    init(state: Ledger.State, calamity: Calamity, now: Int64) {
        self.state = state
        self.calamity = calamity
        self.now = now
    }

    private func isAcknowledged(_ number: Int) -> Bool { state.operations[number].status == .acknowledged }

    // MARK: Logs

    mutating func log(_ note: Ledger.LogNote, _ engine: Engine) {
        let name = note.name
        guard let log = engine.log(named: name) else {
            let mayBeGone = note.deletion != nil || !isAcknowledged(note.creation)
            if !mayBeGone { problems.append("log \(name) is gone") }
            return
        }
        if let deletion = note.deletion, isAcknowledged(deletion) {
            problems.append("log \(name) was deleted and is there")
            return
        }
        if !configurations(note).contains(log.configuration) {
            problems.append("log \(name) has another configuration")
        }
        let keepsEpoch = !note.isMemory && (note.isSynchronised || calamity.keepsWhatWasTaken)
        let isOpen = (calamity == .stop || calamity == .failedStart) && !note.isMemory
        if !isOpen, (log.epoch == note.epoch) != keepsEpoch {
            problems.append("log \(name) has \(keepsEpoch ? "a new" : "the old") epoch")
        }
        for number in note.partitions.indices {
            do {
                try partition(number, note, log)
            } catch {
                problems.append("log \(name), partition \(number) cannot be read: \(error)")
            }
        }
    }

    /// The last that was acknowledged, and what was sent after it.
    private func configurations(_ note: Ledger.LogNote) -> [LogConfiguration] {
        let updates = note.updates.filter { state.operations[$0.operation].status != .refused }
        let certain = updates.lastIndex { isAcknowledged($0.operation) }
        let later = updates[(certain ?? 0)...].map(\.configuration)
        return certain == nil ? [note.configuration] + later : later
    }

    private mutating func partition(_ number: Int, _ note: Ledger.LogNote, _ log: Log) throws {
        let label = "log \(note.name), partition \(number)"
        let bounds = try log.bounds(partition: number)
        let tail = Int(bounds.tail.rawValue)
        var model = note.partitions[number]
        guard tail <= model.rows.count else {
            problems.append("\(label) ends at \(tail), and \(model.rows.count) rows were sent")
            return
        }
        if note.isMemory {
            if tail != 0 { problems.append("\(label) is in memory only and has \(tail) rows") }
            return
        }
        tails[Ledger.Place(log: note.name, partition: number)] = tail
        let first = Int(bounds.first.rawValue)
        let trims = trims(note, number)
        if first < min(trims.least, tail) || first > max(trims.most, model.first) {
            problems.append("\(label) begins at \(first); trims: \(trims), model: \(model.first)")
        }
        model = model.prefix(tail)
        model.first = first
        try content(label, model, number, note, log)
    }

    /// Where it must begin at least, and at most.
    private func trims(_ note: Ledger.LogNote, _ number: Int) -> (least: Int, most: Int) {
        let all = state.operations.filter {
            $0.trim?.place == Ledger.Place(log: note.name, partition: number)
        }
        // Trims of all logs are synchronised only if the log is.
        let certain = all.filter {
            $0.status == .acknowledged && (note.isSynchronised || calamity.keepsWhatWasTaken)
        }
        return (
            certain.compactMap { $0.trim?.before }.max() ?? 0, all.compactMap { $0.trim?.before }.max() ?? 0
        )
    }

    private mutating func content(
        _ label: String, _ model: LogModel, _ number: Int, _ note: Ledger.LogNote, _ log: Log
    ) throws {
        let (required, allowed) = model.readable(
            compactsKeys: note.configuration.compaction == .keys, now: now)
        let records = try log.read(
            partition: number, from: .firstKept, limit: .max, maxBytes: .max, clamps: false
        ).records
        let offsets = records.map { Int($0.offset.rawValue) }
        if offsets != offsets.sorted() || Set(offsets).count != offsets.count {
            problems.append("\(label): offsets are not in order")
        }
        let missing = Set(required).subtracting(offsets)
        if !missing.isEmpty { problems.append("\(label): offsets \(missing.sorted()) are missing") }
        let excess = Set(offsets).subtracting(allowed)
        if !excess.isEmpty { problems.append("\(label): offsets \(excess.sorted()) must not be readable") }
        for record in records where model.rows.indices.contains(Int(record.offset.rawValue)) {
            let row = model.rows[Int(record.offset.rawValue)]
            let isEqual =
                record.value.elementsEqual(row.value.utf8) && record.key == row.key.map { Array($0.utf8) }
                && record.deadline == row.deadline && record.type.isTombstone == row.isTombstone
            if !isEqual { problems.append("\(label), offset \(record.offset.rawValue): other content") }
        }
        for key in Set(model.rows.compactMap(\.key))
        where log.get(key) != model.current(key, now: now)?.row.value {
            problems.append("\(label): key \(key) is \(log.get(key)?.prefix(20) ?? "absent")")
        }
    }

    // MARK: Producers

    /// What the last call of each has written is known to be its: sending it again writes nothing.
    mutating func producers(_ engine: Engine) {
        var last: [String: Ledger.Operation] = [:]
        for operation in state.operations {
            guard let stamp = operation.producer, let place = operation.rows.first,
                let tail = tails[Ledger.Place(log: place.log, partition: place.partition)], place.start < tail
            else { continue }
            last[stamp.id] = operation
        }
        for (id, operation) in last.sorted(by: { $0.key < $1.key }) {
            guard let name = operation.rows.first?.log, let log = engine.log(named: name) else { continue }
            var options = AppendOptions()
            options.producer = operation.producer
            do {
                let result = try log.append(Draft.of(["\"again\""]), options).wait()
                if !result.isDuplicate { problems.append("\(id) is not known: its call was done again") }
                if !operation.ranges.isEmpty, result.ranges != operation.ranges {
                    problems.append("\(id) gets other ranges than before")
                }
            } catch {
                problems.append("\(id) cannot repeat its call: \(error)")
            }
        }
    }

    // MARK: Operations

    /// Each is there wholly or not at all, what was acknowledged is, and nothing behind one that is missing is.
    mutating func operations() {
        var missing: String?
        for (number, operation) in state.operations.enumerated() {
            let places = operation.rows.compactMap { place in
                tails[Ledger.Place(log: place.log, partition: place.partition)].map { (place, $0) }
            }
            guard !places.isEmpty else { continue }
            let there = places.filter { $0.0.start < $0.1 }.count
            let label = "operation \(number) (\(operation.name))"
            if there != 0, there != places.count {
                problems.append("\(label) is there in part: \(there) of \(places.count) rows")
            }
            let isCertain =
                operation.status == .acknowledged
                && (calamity != .powerCut
                    || places.contains { state.logs[$0.0.log]?.isSynchronised ?? false })
            if isCertain, there < places.count { problems.append("\(label) was acknowledged and is missing") }
            if there == 0 {
                missing = missing ?? label
            } else if let missing {
                problems.append("\(label) is there, and \(missing) before it is not")
            }
        }
    }
}
