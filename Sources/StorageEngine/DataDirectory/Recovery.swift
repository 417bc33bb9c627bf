import Platform

/// What was read at the start.
package struct RecoveryReport: Sendable {
    package var logs = 0
    package var bytesRead = 0
    /// Of the write-ahead log.
    package var frames = 0
    /// Cut off at its end, because a loss of power had torn them before they were acknowledged.
    package var tornFrames = 0
    /// What was put aside: records are missing.
    package var damage: [StorageFailure] = []
    /// Damaged, but a copy of it was not: nothing is missing.
    package var repaired: StorageFailure?
    package init() {}
}

/// Makes the logs again that the disk knows: those of the checkpoint, then what the write-ahead log says since.
///
/// Nobody else sees the logs meanwhile. It may be ended at any point and begun anew: it changes nothing on disk.
struct Recovery {
    private let services: EngineServices
    private(set) var logs: [LogID: Log] = [:]
    /// Of `logs`, those that were being restored.
    private var incoming: Set<LogID> = []
    private(set) var nextLogID: UInt64 = 1
    private(set) var receipts: [ReceiptRecord] = []
    /// What had expired by then, until that is done.
    private var seen: SeenTime?
    var report = RecoveryReport()

    init(services: EngineServices) {
        self.services = services
    }

    /// What the checkpoint says.
    /// - Parameters:
    ///   - seen: how late it was when the last server wrote that down.
    ///   - progress: bytes read so far.
    mutating func restore(
        _ stored: inout CheckpointRecovery, seen: SeenTime?, progress: (Int) -> Void
    ) throws(StorageFailure) {
        nextLogID = stored.checkpoint.nextLogID
        receipts = stored.checkpoint.receipts
        for record in stored.checkpoint.logs {
            let log = Log(record.description, services: services)
            logs[log.id] = log
            if record.description.isIncoming { incoming.insert(log.id) }
            try stored.restore(record, in: log, progress: progress)
        }
        report.damage += stored.damage
        report.repaired = stored.repaired
        // A later checkpoint has what died by then.
        if let seen, stored.checkpoint.lsn <= seen.upTo { self.seen = seen }
    }

    /// A frame of the write-ahead log. - Throws: `Malformed` when it does not fit what was applied before.
    mutating func apply(_ lsn: LSN, _ payload: UnsafeRawBufferPointer) throws {
        if let seen, lsn > seen.upTo { expire(seen) }
        try WALItem.forEach(in: payload) { item in
            switch item {
            case .rows(let id, let partition, let image): try append(image, to: id, partition)
            case .effect(let effect): try apply(effect)
            }
        }
    }

    private mutating func append(_ image: BatchImage, to id: LogID, _ number: Int) throws(BinaryReader
        .Malformed)
    {
        // Without the log: it was deleted later, and the checkpoint knows that already.
        // And rows of a log in memory mode were written while it was to become durable, and did not.
        guard let log = logs[id], log.isDurable else { return }
        guard log.partitions.indices.contains(number), image.deltas == nil else { throw .init() }
        let partition = log.partitions[number]
        let isContiguous = partition.state.withLock { $0.replay(image) }
        // The same for a hybrid log, whose rows in between were in memory only.
        if !isContiguous, log.configuration.mode == .persistent { throw .init() }
    }

    private mutating func apply(_ effect: CommitEffect) throws(BinaryReader.Malformed) {
        switch effect {
        case .describeLog(let description): describe(description)
        case .updateLog(let id, let configuration): update(id, configuration)
        case .deleteLog(let id): logs[id] = nil
        case .trim(let id, let number, let before):
            guard let log = logs[id] else { return }
            guard log.partitions.indices.contains(number) else { throw .init() }
            log.partitions[number].state.withLock { $0.advanceFirst(to: before) }
        case .producer(let id, let call):
            logs[id]?.producers.withLock { table in
                table.restore(call)
            }
        case .receipt(let receipt): receipts.append(receipt)
        }
    }

    private mutating func update(_ id: LogID, _ configuration: LogConfiguration) {
        guard let log = logs[id] else { return }
        if configuration.mode == .memory, log.isDurable {
            // From then on it was in memory only.
            var description = log.description
            description.configuration = configuration
            logs[id] = Log(description, services: services)
        } else {
            log.recover(as: configuration, services.makeCommitLog(configuration))
        }
    }

    private mutating func describe(_ description: LogDescription) {
        nextLogID = max(nextLogID, description.id.rawValue &+ 1)
        incoming.remove(description.id)
        if let log = logs[description.id] {
            update(log.id, description.configuration)
            logs[log.id]?.begin(description.epoch)
        } else {
            logs[description.id] = Log(description, services: services)
        }
    }

    /// Behind the last frame: the clock may have been set back since, and what had expired stays gone.
    mutating func finish() {
        for id in incoming { logs[id] = nil }
        if let seen { expire(seen) }
        for log in logs.values where log.isDurable {
            for partition in log.partitions { partition.state.withLock { $0.expireOutlived() } }
        }
    }

    private mutating func expire(_ seen: SeenTime) {
        self.seen = nil
        for log in logs.values where log.isDurable {
            for partition in log.partitions { partition.state.withLock { $0.expire(by: seen.time) } }
        }
    }

    mutating func noteDamage(_ failure: StorageFailure) { report.damage.append(failure) }

    // MARK: Epochs

    /// Whether positions that were given may be void, so that the log needs a new epoch.
    ///
    /// - Parameter lastRun: nil on a directory that no server has run on.
    static func mayHaveLost(_ log: Log, _ lastRun: LastRun?, bootID: String) -> Bool {
        let configuration = log.configuration
        switch configuration.mode {
        case .memory: return true
        case .hybrid: return lastRun.map { !$0.wasOrderly } ?? false
        case .persistent: break
        }
        guard configuration.durability.synchronisation != .always, let lastRun else { return false }
        // What the operating system had taken is lost with the machine, not with the process.
        return !lastRun.wasOrderly && lastRun.bootID != bootID
    }
}

/// How the last server on a data directory ended.
struct LastRun: Equatable {
    static let file = "last-run"

    var bootID: String
    /// It wrote all it had before it ended.
    var wasOrderly: Bool
    /// The file of the write-ahead log that it began with, and the first frame there.
    var walFile: UInt64 = 0
    var firstLSN = LSN.zero
    /// How late it was when this was written.
    var seen = SeenTime()

    func encode() -> ByteBuffer {
        let buffer = ByteBuffer()
        buffer.append(counted: bootID)
        buffer.append(UInt8(wasOrderly ? 1 : 0))
        buffer.append(walFile)
        buffer.append(firstLSN.rawValue)
        buffer.append(seen.time)
        buffer.append(seen.upTo.rawValue)
        buffer.append(WALFormat.checksum(buffer.bytes))
        return buffer
    }

    /// Nil when it says nothing: then the worst is to be assumed.
    init?(decoding bytes: UnsafeRawBufferPointer) {
        do throws(BinaryReader.Malformed) {
            var reader = BinaryReader(bytes)
            bootID = try reader.text()
            wasOrderly = try reader.integer(UInt8.self) == 1
            walFile = try reader.integer()
            firstLSN = LSN(rawValue: try reader.integer())
            seen.time = try reader.integer()
            // Earlier servers wrote one only before the first frame, and behind the last.
            let isEarlier = reader.remaining == MemoryLayout<UInt64>.size
            seen.upTo =
                isEarlier
                ? LSN(rawValue: wasOrderly ? .max : max(firstLSN.rawValue, 1) - 1)
                : LSN(rawValue: try reader.integer())
            let covered = UnsafeRawBufferPointer(rebasing: bytes[0..<reader.position])
            guard try reader.integer(UInt64.self) == WALFormat.checksum(covered) else { return nil }
        } catch {
            return nil
        }
    }

    init(
        bootID: String, wasOrderly: Bool, walFile: UInt64 = 0, firstLSN: LSN = .zero, seen: SeenTime = .init()
    ) {
        self.bootID = bootID
        self.wasOrderly = wasOrderly
        self.walFile = walFile
        self.firstLSN = firstLSN
        self.seen = seen
    }

    /// Of the machine, which changes when it starts; a random one where the system does not say.
    static func currentBootID(_ files: any FileSystem) -> String {
        let uuidBytes = 36
        let id = ByteBuffer()
        id.appendZeros(uuidBytes)
        do throws(FileFailure) {
            let file = try files.open("/proc/sys/kernel/random/boot_id", .read)
            try file.read(into: id.mutableBytes, at: 0)
            return String(decoding: id.bytes, as: UTF8.self)
        } catch {
            return "unknown-\(UInt64.random(in: 0...UInt64.max))"
        }
    }
}

extension DataDirectory {
    /// Nil on a directory that no server has run on.
    func lastRun() throws(FileFailure) -> LastRun? {
        guard let content = try content(of: LastRun.file) else { return nil }
        return LastRun(decoding: content.bytes) ?? LastRun(bootID: "", wasOrderly: false)
    }

    /// Files without which something acknowledged is missing: the one behind the checkpoint, and the one that the last run
    /// began with unless a checkpoint has made it unnecessary.
    func requiredWALFiles(_ checkpoint: Checkpoint) -> [UInt64] {
        var required: [UInt64] = []
        if checkpoint.walFile != 0 { required.append(checkpoint.walFile) }
        // What cannot be read says nothing.
        if let run = try? lastRun(), run.walFile != 0, run.firstLSN > checkpoint.lsn {
            required.append(run.walFile)
        }
        return required
    }
}

extension PartitionState {
    /// Appends the rows of an image that are not there yet, and commits them.
    /// - Returns: false when rows are missing between what is there and what comes.
    mutating func replay(_ image: BatchImage) -> Bool {
        let known = max(0, assigned - image.base)
        guard image.base <= assigned else { return false }
        guard known < Int64(image.rows) else { return true }
        for index in Int(known)..<image.rows {
            let row = image.row(index)
            makeFreeRoom(for: row)
            write(row)
        }
        _ = apply(upTo: assigned)
        return true
    }
}

extension BatchImage {
    func row(_ index: Int) -> RowDraft {
        func bytes(_ offsets: UnsafePointer<Int32>, _ data: UnsafeRawPointer) -> UnsafeRawBufferPointer {
            let start = Int(offsets[index])
            return UnsafeRawBufferPointer(start: data + start, count: Int(offsets[index + 1]) - start)
        }
        let timestamp = timestamps[index]
        var row = RowDraft(
            value: bytes(valueOffsets, values), timestamp: timestamp, arrival: arrivals?[index] ?? timestamp)
        if let keyOffsets, let keys {
            let key = bytes(keyOffsets, keys)
            if !key.isEmpty { row.key = key }
        }
        if let extrasOffsets, let extras { row.extras = bytes(extrasOffsets, extras) }
        if let deadlines { row.deadline = deadlines[index] }
        if let types { row.type = RecordType(rawValue: types[index]) }
        if let priorities { row.priority = priorities[index] }
        return row
    }
}
