import Platform
import Synchronization

/// What becomes of records whose bytes are in the archive.
package enum ArchivedValues: Sendable {
    /// They are fetched, on this thread, which may wait for the store.
    case fetched
    /// `EngineError.archived`: this thread must not wait.
    case refused
    /// Their values and extras are left out, and come as empty.
    case leftOut
}

extension Record {
    /// It has a value, or extras, and they are in the archive: nobody may read them here.
    var isElsewhere: Bool { batch.isStub && (value.count > 0 || extrasBytes.count > 0) }

    fileprivate var withoutValue: Record {
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        return Record(
            offset: offset, timestamp: timestamp, arrival: arrival, deadline: deadline, type: type,
            priority: priority, partition: partition, keyBytes: keyBytes, hasKey: hasKey, value: empty,
            extrasBytes: empty, batch: batch)
    }
}

extension Archive {
    /// The whole of a batch of which this machine has a stub.
    func whole(_ stub: Batch, log: String) throws(EngineError) -> Batch {
        guard let archived = stub.archived else {
            throw .archiveDamaged(log: log, object: "none", reason: "the batch has no place in the archive")
        }
        return try load(archived, log: log)
    }
}

extension Log {
    var archive: Archive { services.archive }

    /// Where what is old enough goes; nil: nowhere.
    var archiveLocation: String? {
        let configuration = configuration
        return configuration.mode == .hybrid ? configuration.hybrid.s3Archive : nil
    }

    /// A record with its bytes.
    func load(_ record: Record, _ values: ArchivedValues) throws(EngineError) -> Record {
        guard record.isElsewhere else { return record }
        switch values {
        case .leftOut: return record.withoutValue
        case .refused: throw .archived
        case .fetched: return try self.record(record, of: try archive.whole(record.batch, log: name))
        }
    }

    private func record(_ record: Record, of whole: Batch) throws(EngineError) -> Record {
        guard let row = whole.header.pointee.row(of: record.offset.rawValue) else {
            throw .archiveDamaged(log: name, object: "\(record.offset)", reason: "the batch lacks the record")
        }
        return whole.record(row, partition: record.partition)
    }

    /// Records with their bytes, in order: the first of them at least, and no more than what their batches together take
    /// no more than the cache may, for all of them are held at once.
    func load(_ records: [Record], _ values: ArchivedValues) throws(EngineError) -> [Record] {
        var loaded: [Record] = []
        loaded.reserveCapacity(records.count)
        var whole: (stub: Batch, batch: Batch)?
        var heldBytes = 0
        for record in records {
            guard record.isElsewhere, case .fetched = values else {
                loaded.append(try load(record, values))
                continue
            }
            if whole?.stub !== record.batch {
                heldBytes += record.batch.archived?.piece.bytes ?? 0
                if !loaded.isEmpty, heldBytes > archive.cache.bytesMax { return loaded }
                whole = (record.batch, try archive.whole(record.batch, log: name))
            }
            if let whole { loaded.append(try self.record(record, of: whole.batch)) }
        }
        return loaded
    }

    // MARK: Cuts

    /// The same rows with all their columns: a batch whose values are in the archive is fetched, others are as they are.
    ///
    /// Who reads values, headers or content types of a cut's batch, or encodes it, asks for this first, one batch after
    /// the other: each holds a whole batch in memory for as long as it lives. May wait for the store.
    /// - Parameter isCancelled: asked now and then while it waits; true ends that with `archiveUnavailable`.
    /// - Throws: `archiveUnavailable`, `archiveDamaged`.
    package func loaded(
        _ view: BatchView, isCancelled: @Sendable () -> Bool = { false }
    ) throws(EngineError) -> BatchView {
        guard view.isStub else { return view }
        let whole = try wait(for: view.batch, isCancelled)
        var header = whole.header.pointee
        header.present = view.header.present
        header.newest = view.header.newest
        header.presentCount = view.header.presentCount
        header.newestCount = view.header.newestCount
        guard header.rows >= view.rows.upperBound, header.base == view.header.base else {
            throw .archiveDamaged(log: name, object: "none", reason: "the batch lacks rows")
        }
        return BatchView(partition: view.partition, batch: whole, header: header, rows: view.rows)
    }

    private func wait(
        for stub: Batch, _ isCancelled: @Sendable () -> Bool
    ) throws(EngineError) -> Batch {
        let pauseNanoseconds: Int64 = 20_000_000
        if let cached = stub.archived.flatMap({ archive.cache.cached($0.piece) }) { return cached }
        let box = Awaiting()
        let isTaken = archive.threads.run { [self] in
            if box.isGivenUp { return }
            box.set(Result { () throws(EngineError) in try archive.whole(stub, log: name) })
        }
        guard isTaken else {
            throw .archiveUnavailable(log: name, reason: "too many wait for it already")
        }
        while true {
            if let result = box.wait(nanoseconds: pauseNanoseconds) { return try result.get() }
            if isCancelled() {
                box.giveUp()
                throw .archiveUnavailable(log: name, reason: "who waited for it was cancelled")
            }
        }
    }
}

/// A batch that is being fetched by another thread.
private final class Awaiting: Sendable {
    private let result = Lock<Result<Batch, EngineError>?>(nil)
    private let wakeUp = WakeUp()
    private let isOver = Atomic<Bool>(false)

    /// Nobody waits for it any more: it need not be fetched.
    var isGivenUp: Bool { isOver.load(ordering: .relaxed) }
    func giveUp() { isOver.store(true, ordering: .relaxed) }

    func set(_ value: Result<Batch, EngineError>) {
        result.withLock { $0 = value }
        wakeUp.signal()
    }

    /// Nil when it is not there yet.
    func wait(nanoseconds: Int64) -> Result<Batch, EngineError>? {
        let generation = wakeUp.generation
        if let known = result.withLock({ $0 }) { return known }
        wakeUp.wait(since: generation, timeoutNanoseconds: nanoseconds)
        return result.withLock { $0 }
    }
}

extension BatchView {
    /// Its values and extras are in the archive: `Log.loaded` has them.
    package var isStub: Bool { header.isStub }
}
