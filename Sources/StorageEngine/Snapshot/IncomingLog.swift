import Platform

/// A log that is being made from what was kept of another. Batches of a partition come in the order of offsets.
package final class IncomingLog {
    let log: Log
    private var tails: [Int64]
    private let spills: Bool

    init(_ log: Log) {
        self.log = log
        tails = Array(repeating: 0, count: log.partitionCount)
        spills = log.configuration.spills
    }

    package var name: String { log.name }
    package var partitionCount: Int { log.partitionCount }
    package func tail(of partition: Int) -> Int64 { tails[partition] }
    /// Where records of a key belong.
    package func partition(ofKey key: UnsafeRawBufferPointer) -> Int { log.partition(of: key) }

    // MARK: Batches

    /// The rows of a batch as `BatchView.encodeRows` wrote them, dead ones included.
    ///
    /// - Parameters:
    ///   - rows: aligned to 8.
    ///   - dead: as `BatchView.encodeDeadRows` wrote them; nil: all live.
    /// - Throws: `damaged` for anything else, and when there is no room.
    package func append(
        rows: UnsafeRawBufferPointer, dead: UnsafeRawBufferPointer?, to partition: Int
    ) throws(IncomingFailure) {
        let image = try Self.image(rows)
        guard tails.indices.contains(partition), image.base >= tails[partition] else {
            throw .damaged("holds a batch that does not belong behind the one before it")
        }
        let bitmaps = try dead.map { bytes throws(IncomingFailure) in try Self.bitmaps(bytes, image) }
        let batch = try makeBatch(image)
        batch.header.pointee.summarize()
        batch.restore(present: bitmaps?.present, newest: bitmaps?.newest)
        let isRestored = log.partitions[partition].state.withLock { state in
            guard state.isDisjoint(from: batch) else { return false }
            state.restore(batch)
            return true
        }
        guard isRestored else { throw .damaged("holds two newest records of one key") }
        tails[partition] = image.endOfRange
    }

    static func image(_ bytes: UnsafeRawBufferPointer) throws(IncomingFailure) -> BatchImage {
        do throws(BinaryReader.Malformed) {
            let image = try BatchImage(decoding: bytes)
            let arrivals = image.arrivals ?? image.timestamps
            // Times of a clock: retention and the like add to them.
            guard !image.isStub, (0..<image.rows).allSatisfy({ Self.times.contains(arrivals[$0]) }) else {
                throw .init()
            }
            return image
        } catch {
            throw .damaged("holds a batch that is not valid")
        }
    }

    private static let times: ClosedRange<Int64> = Int64.min / 4...Int64.max / 4

    static func bitmaps(
        _ bytes: UnsafeRawBufferPointer, _ image: BatchImage
    ) throws(IncomingFailure) -> (present: Bitmap?, newest: Bitmap?) {
        do throws(BinaryReader.Malformed) {
            return try DeadRowsImage.decode(bytes, rows: image.rows)
        } catch {
            throw .damaged("holds bitmaps that are not valid")
        }
    }

    private func makeBatch(_ image: BatchImage) throws(IncomingFailure) -> Batch {
        try makeRoom(for: image.footprintBytes + Batch.fixedBytes + image.rows * Self.indexBytesPerKey)
        let pool = log.partitions[0].state.withLock { $0.pool }
        return Batch(copying: image, pool: pool, account: log.account)
    }

    /// About what the index takes for one.
    private static let indexBytesPerKey = 16

    // MARK: Rows

    /// Rows whose offsets ascend, gaps included, behind those that are there. Keys supersede those before them.
    package func append(_ rows: [IncomingRow], to partition: Int) throws(IncomingFailure) {
        var start = 0
        while start < rows.count {
            let end = IncomingBatch.end(of: rows, from: start)
            let batch = IncomingBatch(rows[start..<end])
            guard tails.indices.contains(partition), rows[start].offset >= tails[partition], batch.isAscending
            else { throw .damaged("has offsets that do not ascend") }
            try makeRoom(for: batch.plan.slabBytes + Batch.fixedBytes + (end - start) * Self.indexBytesPerKey)
            let pool = log.partitions[0].state.withLock { $0.pool }
            let made = batch.make(pool, log.account)
            log.partitions[partition].state.withLock { $0.restoreSuperseding(made) }
            tails[partition] = made.header.pointee.endOfRange
            start = end
        }
    }

    // MARK: Room

    private func makeRoom(for bytes: Int) throws(IncomingFailure) {
        guard log.account.freeBytes <= bytes else { return }
        if spills {
            // All of it is read again by the next checkpoint: seldom, then, and much at a time.
            _ = log.spill(
                bytes: max(
                    bytes, log.account.limitBytes == Int.max ? 0 : log.account.limitBytes / 8, 64 << 20))
            if log.account.freeBytes > bytes { return }
        }
        switch log.makeRoom(for: bytes) {
        case .made: return
        case .none, .held:
            throw .refused(
                .memoryFull(
                    budget: log.name, limit: log.memoryLimitBytes, used: log.account.totalBytes, needed: bytes
                ))
        }
    }

    // MARK: The end

    /// - Parameter bounds: of each partition: where what is readable begins, and where what comes next will be; nil: what
    ///   is there.
    package func finish(bounds: [Range<Int64>]?) {
        for (number, partition) in log.partitions.enumerated() {
            let own = bounds?[number] ?? 0..<tails[number]
            partition.state.withLock { state in
                state.first = own.lowerBound
                state.cleaned = min(state.cleaned, own.lowerBound)
                state.finishRestoring(tail: max(own.upperBound, tails[number]), onDisk: false)
            }
        }
    }

    /// What the log knew of a producer, in the order of its calls.
    package func restoreProducer(_ call: ProducerCall) { log.producers.withLock { $0.restore(call) } }

    /// What the log knew of its producers.
    package func restoreProducers(of record: SnapshotManifest.LogRecord) {
        log.producers.withLock { table in
            for call in record.producers where Self.times.contains(call.time) { table.restore(call) }
        }
    }
}

/// Why something does not become a log.
package enum IncomingFailure: Error {
    /// The end of a sentence that begins with the name of where it comes from.
    case damaged(String)
    case refused(EngineError)
}

extension Log {
    fileprivate var memoryLimitBytes: Int { min(account.limitBytes, account.parent?.limitBytes ?? Int.max) }
}

extension BatchHeader {
    /// What is known of a batch without looking at its rows, found by looking at them.
    fileprivate mutating func summarize() {
        for row in 0..<rows {
            earliestDeadline = min(earliestDeadline, deadline(row))
            maxTimestamp = max(maxTimestamp, timestamps[row])
            lastArrival = max(lastArrival, arrival(row))
            if type(row).isTombstone { lastTombstone = max(lastTombstone, arrival(row)) }
        }
    }
}
