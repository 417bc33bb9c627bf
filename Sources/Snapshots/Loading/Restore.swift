import Platform
import StorageEngine

/// Makes logs of a snapshot, all at once.
struct Restore {
    let engine: Engine
    let store: SnapshotStore
    let name: SnapshotName
    let options: LoadOptions
    let job: Job

    func run() throws(SnapshotFailure) {
        let (manifest, digest) = try store.manifest(of: name)
        let records = try options.choose(from: manifest)
        job.update { progress in
            progress.snapshot = name.text
            progress.time = manifest.time
            progress.digest = digest
            progress.logs = records.map { options.name(of: $0.name) }
            progress.bytesTotal = records.reduce(0) { total, log in
                log.partitions.reduce(total) { $1.batches.reduce($0) { $0 + $1.bytes } }
            }
        }
        let plan = records.flatMap { $0.partitions.flatMap { $0.batches.flatMap(\.pieces) } }
        let reader = PieceReader(store, manifest.packs, plan: plan)
        let incoming = IncomingLogs(engine)
        for record in records { try load(record, incoming, reader) }
        try job.checkCancelled()
        do throws(EngineError) { try incoming.publish(replacing: options.replaces) } catch {
            throw .engine(error)
        }
    }

    private func load(
        _ record: SnapshotManifest.LogRecord, _ incoming: IncomingLogs, _ reader: PieceReader
    ) throws(SnapshotFailure) {
        let mode = options.mode ?? (engine.hasDataDirectory ? nil : .memory)
        var configuration = record.configuration.changed(to: mode)
        if options.keepsConfiguration,
            let present = engine.log(named: options.name(of: record.name))?.configuration,
            present.partitions == configuration.partitions
        {
            configuration = present
        }
        let log: IncomingLog
        do throws(EngineError) {
            log = try incoming.add(
                named: options.name(of: record.name), configuration,
                replacing: options.replaces)
        } catch {
            throw .engine(error)
        }
        for (number, partition) in record.partitions.enumerated() {
            for batch in partition.batches {
                try job.checkCancelled()
                try load(batch, log, number, reader)
                job.update { progress in
                    progress.bytes += batch.bytes
                    progress.records += batch.rowCount
                }
            }
        }
        log.restoreProducers(of: record)
        log.finish(bounds: record.partitions.map(\.bounds))
    }

    private func load(
        _ batch: SnapshotManifest.BatchRecord, _ log: IncomingLog, _ partition: Int, _ reader: PieceReader
    ) throws(SnapshotFailure) {
        try reader.withPieces(of: batch) { rows, dead throws(IncomingFailure) in
            try log.append(rows: rows, dead: dead, to: partition)
        }
    }
}

extension PieceReader {
    /// Both pieces of a batch, as long as the body runs.
    func withPieces<Result>(
        of batch: SnapshotManifest.BatchRecord,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) throws(IncomingFailure) -> Result
    ) throws(SnapshotFailure) -> Result {
        var rows = try read(batch.rows)
        // The second piece may need another window.
        let held = ByteBuffer()
        defer { withExtendedLifetime(held) {} }
        if let piece = batch.dead, !isLoaded(piece) {
            held.append(rows)
            rows = held.bytes
        }
        let dead = try batch.dead.map { piece throws(SnapshotFailure) in try read(piece) }
        do throws(IncomingFailure) {
            return try body(rows, dead)
        } catch {
            switch error {
            case .damaged(let reason): throw damage(batch.rows, reason)
            case .refused(let error): throw .engine(error)
            }
        }
    }
}
