import Platform

// The cold move: an object is put and verified, a checkpoint refers to it, then the local bytes are let go. What happens in
// between leaves an object to which nobody refers, or local bytes that nobody needs, and both go later.
extension Archive {
    /// What failed is tried again after so long, and objects of logs that are gone wait so long for a checkpoint.
    private static let retryMilliseconds: Int64 = 5_000
    private static let sweepMilliseconds: Int64 = 5_000

    struct Source: Sendable {
        let logs: @Sendable () -> [Log]
        let clock: Clock
        let report: @Sendable (String) -> Void
    }

    /// One round over all logs, by one thread at a time.
    /// - Parameter forced: also what failed a moment ago.
    func run(_ source: Source, _ storage: Storage, forced: Bool = false) {
        let logs = source.logs().filter { $0.isTiered && !$0.isChangingMode }
        guard space != nil || logs.contains(where: { $0.archiveLocation != nil }) else { return }
        turn.withLock { turn in
            let now = Clock.monotonicNanoseconds() / 1_000_000
            guard forced || now >= turn.notBefore else { return }
            var isFailed = false
            func attempt(_ body: () throws -> Void) {
                do { try body() } catch {
                    isFailed = true
                    source.report("the archive: \(error)")
                }
            }
            var needsCheckpoint = false
            for log in logs where !log.isChangingMode {
                attempt { if try move(log, storage.directory, source.clock) { needsCheckpoint = true } }
            }
            if hasUnreadObjects, forced || now >= turn.nextSweep {
                needsCheckpoint = true
                turn.nextSweep = now + Self.sweepMilliseconds
            }
            if needsCheckpoint { attempt { try storage.checkpoint() } }
            for log in logs where !log.isChangingMode {
                for partition in log.partitions {
                    attempt { try partition.letGoOfArchived(storage.directory) }
                }
            }
            // Of a batch that was put aside nobody refers to the object, which has all of it.
            if !storage.directory.hasQuarantine { deleteUnneeded() }
            turn.notBefore = isFailed ? now + Self.retryMilliseconds : 0
        }
    }

    /// - Returns: whether a checkpoint has something to say of it.
    private func move(_ log: Log, _ directory: DataDirectory, _ clock: Clock) throws -> Bool {
        guard let location = log.archiveLocation else { return false }
        var isMoved = false
        for partition in log.partitions {
            while !isStopping {
                let due = partition.batchesToArchive(now: clock.now(), bytesMax: objectBytesMax)
                if due.isEmpty { break }
                guard let place = try place(of: location) else { return true }
                isMoved = try upload(due, of: log, partition, at: place, directory) > 0 || isMoved
            }
        }
        return isMoved
    }

    /// Of one object, which is in memory as a whole until the store has it.
    private var objectBytesMax: Int { min(ArchiveFormat.objectBytesMax, cache.bytesMax / 2) }

    /// - Returns: how many batches are in the archive now.
    private func upload(
        _ batches: [(batch: Batch, stored: StoredImage)], of log: Log, _ partition: Partition, at place: Int,
        _ directory: DataDirectory
    ) throws -> Int {
        let object = newObject(of: log.id, at: place)
        let capacity = batches.reduce(4096) { $0 + $1.stored.piece.bytes + 2 * ArchiveFormat.alignment }
        log.account.charge(.columns, capacity)
        defer { log.account.release(.columns, capacity) }
        let buffer = ByteBuffer(capacity: capacity)
        ArchiveFormat.encodeHeader(object.id, to: buffer)
        var index: [ArchiveFormat.IndexEntry] = []
        var moved: [(batch: Batch, archived: ArchivedBatch)] = []
        for (batch, stored) in batches {
            let position = buffer.count
            // The segment's own bytes, which have the checksum that the checkpoint knows.
            try directory.append(stored.piece, to: buffer)
            let piece = ArchivedPiece(
                object: object.id, position: position, bytes: stored.piece.bytes,
                checksum: stored.piece.checksum)
            index.append(
                .init(
                    partition: partition.number, rows: stored.rows, base: stored.base,
                    endOfRange: stored.endOfRange, position: position, bytes: piece.bytes,
                    checksum: piece.checksum, timestamps: batch.timestamps))
            moved.append((batch, ArchivedBatch(piece, object)))
            buffer.pad(to: ArchiveFormat.alignment)
        }
        ArchiveFormat.finish(.init(log: log.description, entries: index), object.id, buffer)
        do throws(ArchiveFailure) {
            try store(place).put(key(object.id), buffer)
        } catch {
            figures.noteUploadFailure()
            throw error
        }
        figures.noteUpload(bytes: buffer.count)
        return partition.archived(moved)
    }

    // MARK: Back

    /// Before a log leaves hybrid mode: all of it is on this machine again.
    /// - Throws: why not; what is back stays.
    func bringBack(_ log: Log) throws(ModeChangeFailure) {
        // Nobody moves anything of it meanwhile, or after: its mode is being changed.
        turn.withLock { _ in }
        for partition in log.partitions {
            while let stub = partition.firstStub { try bringBack(stub, to: partition, of: log) }
            partition.keepLocal()
        }
    }

    private func bringBack(_ stub: Batch, to partition: Partition, of log: Log) throws(ModeChangeFailure) {
        guard let archived = stub.archived else { throw .init("a batch has no place in the archive") }
        do throws(EngineError) {
            let whole = try load(archived, log: log.name)
            let bytes = BatchImage(whole.header.pointee).footprintBytes
            if log.account.freeBytes < 2 * bytes { _ = log.spill(bytes: 2 * bytes) }
            guard log.account.freeBytes >= bytes else {
                throw EngineError.archiveUnavailable(
                    log: log.name, reason: "memory has no room for \(bytes) bytes that have to come back")
            }
            // A rewriting is under way, or it is gone: both show next time.
            if !partition.bringBack(stub, whole) { Clock.pause(milliseconds: 1) }
        } catch {
            throw .init("\(error)")
        }
    }
}
