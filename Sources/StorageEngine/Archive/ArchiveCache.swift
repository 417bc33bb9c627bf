import Platform

/// Batches that were fetched from the archive, the last ones used: so many bytes at most, and each fetched once at a time.
///
/// What is let go stays readable for who holds it, and is charged until nobody does.
final class ArchiveCache: Sendable {
    private struct Entry {
        let batch: Batch
        let bytes: Int
        var usedAt: UInt64
    }

    private typealias Fetched = Result<Batch, EngineError>

    private struct State {
        var entries: [ArchivedPiece: Entry] = [:]
        var bytes = 0
        var time: UInt64 = 0
        var running: [ArchivedPiece: Awaited<Fetched>] = [:]

        mutating func use(_ piece: ArchivedPiece) -> Batch? {
            time += 1
            entries[piece]?.usedAt = time
            return entries[piece]?.batch
        }

        /// Those used longest ago, until so much is left. They are freed outside of the lock.
        mutating func shrink(to bytesMax: Int) -> [Batch] {
            guard bytes > bytesMax else { return [] }
            var dropped: [Batch] = []
            for (piece, entry) in entries.sorted(by: { $0.value.usedAt < $1.value.usedAt }) {
                if bytes <= bytesMax { break }
                entries[piece] = nil
                bytes -= entry.bytes
                dropped.append(entry.batch)
            }
            return dropped
        }
    }

    /// Of the memory there may be in all.
    private static let share = 16

    private let account: MemoryAccount
    private let figures: ArchiveFigures
    private let state = Lock(State())

    init(_ account: MemoryAccount, _ figures: ArchiveFigures) {
        self.account = account
        self.figures = figures
    }

    var bytesMax: Int { account.limitBytes / Self.share }

    /// Nil when it would have to be fetched.
    func cached(_ piece: ArchivedPiece) -> Batch? { state.withLock { $0.use(piece) } }

    /// - Parameters:
    ///   - get: fetches its bytes, and is called by one thread at a time for a piece.
    ///   - name: of the object, for errors.
    /// - Throws: `archiveUnavailable`, `archiveDamaged`.
    func batch(
        _ piece: ArchivedPiece, _ log: String, _ get: () throws(ArchiveFailure) -> ByteBuffer,
        name: () -> String
    ) throws(EngineError) -> Batch {
        let own = Awaited<Fetched>()
        let (cached, running) = state.withLock { state -> (Batch?, Awaited<Fetched>?) in
            if let batch = state.use(piece) { return (batch, nil) }
            if let running = state.running[piece] { return (nil, running) }
            state.running[piece] = own
            return (nil, nil)
        }
        if let cached { return cached }
        if let running { return try running.wait().get() }
        let result = Fetched { () throws(EngineError) in try fetch(piece, log, get, name) }
        let dropped = state.withLock { state -> [Batch] in
            state.running[piece] = nil
            guard case .success(let batch) = result, piece.bytes <= bytesMax else { return [] }
            let dropped = state.shrink(to: bytesMax - piece.bytes)
            state.time += 1
            state.entries[piece] = Entry(batch: batch, bytes: piece.bytes, usedAt: state.time)
            state.bytes += piece.bytes
            figures.setCached(bytes: state.bytes)
            return dropped
        }
        own.fulfil(result)
        withExtendedLifetime(dropped) {}
        return try result.get()
    }

    private func fetch(
        _ piece: ArchivedPiece, _ log: String, _ get: () throws(ArchiveFailure) -> ByteBuffer,
        _ name: () -> String
    ) throws(EngineError) -> Batch {
        // What is kept gives way to what is wanted now, before anything else does.
        if account.freeBytes < piece.bytes { shed(bytes: piece.bytes) }
        guard account.freeBytes >= piece.bytes else {
            throw .archiveUnavailable(
                log: log, reason: "there is no memory for \(piece.bytes) bytes of it now")
        }
        do throws(ArchiveFailure) {
            let bytes = try get()
            let batch = try FetchedBytes(bytes, account).batch(piece)
            figures.noteFetch(bytes: bytes.count)
            return batch
        } catch {
            figures.noteFetchFailure()
            throw error.isMissing
                ? .archiveDamaged(log: log, object: name(), reason: error.reason)
                : .archiveUnavailable(log: log, reason: error.reason)
        }
    }

    /// Lets go of about so many bytes. - Returns: of how many.
    @discardableResult
    func shed(bytes: Int) -> Int {
        let (dropped, freed) = state.withLock { state -> ([Batch], Int) in
            let before = state.bytes
            let dropped = state.shrink(to: max(0, before - bytes))
            figures.setCached(bytes: state.bytes)
            return (dropped, before - state.bytes)
        }
        withExtendedLifetime(dropped) {}
        return freed
    }
}

/// What came from the store, charged as long as anybody holds it.
private final class FetchedBytes: MappedBytes {
    /// Of the batches that are made of it: they take what is charged here.
    private static let batches = MemoryAccount(name: "archive")

    private let buffer: ByteBuffer
    private let account: MemoryAccount
    private let charged: Int

    init(_ buffer: ByteBuffer, _ account: MemoryAccount) {
        self.buffer = buffer
        self.account = account
        charged = buffer.allocatedBytes + Batch.fixedBytes
        account.charge(.columns, charged)
    }

    deinit { account.release(.columns, charged) }

    var bytes: UnsafeRawBufferPointer { buffer.bytes }

    /// - Throws: as of something missing, unless it is the image that was put there.
    func batch(_ piece: ArchivedPiece) throws(ArchiveFailure) -> Batch {
        guard bytes.count == piece.bytes else {
            throw ArchiveFailure("\(bytes.count) bytes came instead of \(piece.bytes)")
        }
        guard SegmentFormat.checksum(bytes) == piece.checksum else {
            throw ArchiveFailure("at byte \(piece.position): the checksum is wrong", isMissing: true)
        }
        do throws(BinaryReader.Malformed) {
            let image = try BatchImage(decoding: bytes)
            if image.isStub { throw .init() }
            return Batch(image, in: self, account: Self.batches)
        } catch {
            throw ArchiveFailure("at byte \(piece.position): the batch is not valid", isMissing: true)
        }
    }
}
