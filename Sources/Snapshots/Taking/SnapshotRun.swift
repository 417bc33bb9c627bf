import ObjectStorage
import Platform
import StorageEngine

/// Takes one snapshot: a cut, then batch after batch into packs, then the manifest, which makes it one.
///
/// Writers go on meanwhile. A batch is held until it is written, so memory grows by a pack, and by what logs let go of that is
/// not written yet.
struct SnapshotRun {
    let engine: Engine
    let store: SnapshotStore
    /// The same place, for removing what a failure leaves.
    let leftovers: SnapshotStore
    let job: Job
    let name: SnapshotName
    let packBytesMax: Int
    /// Free space of the file system that the location is on; nil where nobody knows.
    let freeBytes: (() -> Int?)

    /// - Parameter logs: nil: all.
    /// - Returns: what lies at the location now.
    func run(
        logs names: [String]?, _ known: KnownPieces?, before last: SnapshotName?
    ) throws(SnapshotFailure) -> KnownPieces {
        var known = known ?? KnownPieces()
        if known.sent.isEmpty, let last { try note(last, in: &known) }
        let present = try store.packs()
        var cut = try engine.stateCut { () throws(SnapshotFailure) in try logs(names) }
        let total = cut.logs.reduce(0) { total, log in
            log.partitions.reduce(total) { $1.batches.reduce($0) { $0 + $1.imageBytes } }
        }
        job.update { progress in
            progress.logs = cut.logs.map(\.name)
            progress.bytesTotal = total
            progress.time = cut.now
        }
        var run = Run(
            job: job, known: known, present: present,
            writer: PackWriter(store, name, packBytes: packBytes(for: total)),
            manifest: SnapshotManifest(time: cut.now))
        let gatheredBytes = run.writer.capacityBytes
        engine.chargeQueries(gatheredBytes)
        defer { engine.chargeQueries(-gatheredBytes) }
        do throws(SnapshotFailure) {
            try checkSpace(for: total - run.knownBytes(of: cut))
            for index in cut.logs.indices { try run.write(&cut.logs[index]) }
            try run.writer.flush()
            try run.checkPacks(try store.packs(), store.location)
            try job.checkCancelled()
            run.manifest.packs = run.writer.packs
            let digest = try store.publish(run.manifest, as: name)
            // Who was told that it ends does not find it complete.
            try job.checkCancelled()
            // Until now they were estimates.
            let bytes = run.manifest.bytes
            job.update { progress in
                progress.digest = digest
                progress.bytes = bytes
                progress.bytesTotal = bytes
                progress.sentBytes = run.writer.sentBytes
            }
        } catch {
            leftovers.removeRest(of: name, run.writer.writtenKeys)
            throw error
        }
        return run.sent
    }

    private func note(_ last: SnapshotName, in known: inout KnownPieces) throws(SnapshotFailure) {
        do throws(SnapshotFailure) { known.note(try store.manifest(of: last).manifest) } catch {
            // Without it everything is sent again. It may also have been removed meanwhile.
            if case .snapshotNotFound = error { return }
            guard error.isDamage else { throw error }
        }
    }

    private func logs(_ names: [String]?) throws(SnapshotFailure) -> [Log] {
        guard let names else { return engine.allLogs.sorted { $0.name < $1.name } }
        var logs: [Log] = []
        for name in Set(names).sorted() {
            guard let log = engine.log(named: name) else { throw .logNotFound(log: name) }
            logs.append(log)
        }
        return logs
    }

    /// Few objects, and little memory beside what there is.
    private func packBytes(for total: Int) -> Int { min(packBytesMax, max(1 << 20, total / 32)) }

    private func checkSpace(for bytes: Int) throws(SnapshotFailure) {
        guard let free = freeBytes(), bytes > free else { return }
        throw .store(
            ObjectStoreFailure(
                .refused, store.location, nil,
                "the snapshot needs \(bytes) bytes more and \(free) are free there: make room, or name another location"
            ))
    }
}

/// The batches of a snapshot that is being taken.
private struct Run {
    let job: Job
    let known: KnownPieces
    let present: [String: Int]
    var writer: PackWriter
    var manifest: SnapshotManifest
    /// What the next snapshot need not send.
    var sent = KnownPieces()
    private var places:
        [(identity: BatchView.Identity, batch: SnapshotManifest.BatchRecord, live: BatchView.LiveCounts)] = []

    init(job: Job, known: KnownPieces, present: [String: Int], writer: PackWriter, manifest: SnapshotManifest)
    {
        self.job = job
        self.known = known
        self.present = present
        self.writer = writer
        self.manifest = manifest
    }

    /// Of batches that need not even be looked at.
    func knownBytes(of cut: StateCut) -> Int {
        var bytes = 0
        for log in cut.logs {
            for partition in log.partitions {
                for view in partition.batches
                where isThere(known.sent[view.identity(tail: partition.bounds.upperBound)]?.rows) {
                    bytes += view.imageBytes
                }
            }
        }
        return bytes
    }

    /// What was sent may have been deleted with the snapshot that sent it.
    private static func isThere(_ place: KnownPieces.Place?, _ present: [String: Int]) -> Bool {
        place.map { present[$0.pack.key] == $0.pack.bytes } ?? false
    }

    private func isThere(_ place: KnownPieces.Place?) -> Bool { Self.isThere(place, present) }

    /// Lets go of each batch once it is written.
    mutating func write(_ log: inout LogState) throws(SnapshotFailure) {
        var record = SnapshotManifest.LogRecord(log)
        for number in log.partitions.indices {
            let tail = log.partitions[number].bounds.upperBound
            var rest = Array(log.partitions[number].batches.reversed())
            log.partitions[number].batches = []
            while let view = rest.popLast() {
                try job.checkCancelled()
                let batch = try write(view, of: log, number, tail)
                record.partitions[number].batches.append(batch)
                job.update { progress in
                    progress.bytes = min(progress.bytesTotal, progress.bytes + view.imageBytes)
                    progress.records += view.rowCount
                    progress.sentBytes = writer.sentBytes
                }
            }
        }
        manifest.logs.append(record)
    }

    private mutating func write(
        _ view: BatchView, of log: LogState, _ partition: Int, _ tail: Int64
    ) throws(SnapshotFailure) -> SnapshotManifest.BatchRecord {
        let identity = view.identity(tail: tail)
        let live = view.liveCounts
        let before = known.sent[identity]
        let rows: SnapshotManifest.Piece
        if let before, isThere(before.rows) {
            rows = writer.refer(to: before.rows)
        } else {
            let offsets = view.offsets(tail: tail)
            let (known, present) = (known, present)
            let whole: BatchView
            do throws(EngineError) {
                whole = try log.loaded(view) { [job] in job.isCancelled }
            } catch {
                throw .engine(error)
            }
            rows = try writer.write(bytes: view.imageBytes) { buffer in
                whole.encodeRows(tail: tail, to: buffer)
            } known: { bytes, checksum in
                let place = known.place(
                    of: log.name, partition, offsets, bytes: bytes, checksum: checksum)
                return Self.isThere(place, present) ? place : nil
            }
        }
        var dead: SnapshotManifest.Piece?
        if !live.isWhole(view.rowCount) {
            if let before, before.live == live, let place = before.dead, isThere(place) {
                dead = writer.refer(to: place)
            } else {
                dead = try writer.write(bytes: view.rowCount / 4 + 8) { buffer in
                    view.encodeDeadRows(to: buffer)
                } known: { _, _ in
                    nil
                }
            }
        }
        let batch = SnapshotManifest.BatchRecord(
            view, tail: tail, rows: rows, dead: dead, timestamps: before?.timestamps)
        places.append((identity, batch, live))
        return batch
    }

    /// All that is referred to is there in its length, what others wrote included. - Throws: `damaged`.
    mutating func checkPacks(_ present: [String: Int], _ location: String) throws(SnapshotFailure) {
        for pack in writer.packs where present[pack.key] != pack.bytes {
            let found = present[pack.key].map { "has \($0) bytes instead of \(pack.bytes)" } ?? "is gone"
            throw .damaged(object: "\(location)/\(pack.key)", reason: "\(found): was it deleted meanwhile?")
        }
        for (identity, batch, live) in places {
            func place(_ piece: SnapshotManifest.Piece) -> KnownPieces.Place {
                KnownPieces.Place(pack: writer.packs[piece.pack], piece: piece)
            }
            sent.note(
                identity,
                KnownPieces.Sent(
                    rows: place(batch.rows), dead: batch.dead.map(place), live: live,
                    timestamps: batch.timestamps))
        }
    }
}
