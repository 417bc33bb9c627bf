import Platform
import StorageEngine

/// Loads the records of a range of time into logs in memory: their timestamps and keys are kept, their offsets are new.
struct Replay {
    let engine: Engine
    let store: SnapshotStore
    let name: SnapshotName
    let options: LoadOptions
    let timestamps: Range<Int64>
    let job: Job

    func run() throws(SnapshotFailure) {
        let (manifest, digest) = try store.manifest(of: name)
        let records = try options.choose(from: manifest)
        let range = ReplayRange(timestamps: timestamps, now: engine.clock.now())
        func isWanted(_ batch: SnapshotManifest.BatchRecord) -> Bool {
            batch.timestamps.upperBound >= timestamps.lowerBound
                && batch.timestamps.lowerBound < timestamps.upperBound
        }
        let plan = records.flatMap { $0.partitions.flatMap { $0.batches.filter(isWanted).flatMap(\.pieces) } }
        job.update { progress in
            progress.snapshot = name.text
            progress.time = manifest.time
            progress.digest = digest
            progress.logs = records.map { options.name(of: $0.name) }
            progress.bytesTotal = plan.reduce(0) { $0 + $1.bytes }
        }
        let reader = PieceReader(store, manifest.packs, plan: plan)
        let incoming = IncomingLogs(engine)
        for record in records {
            let log = try add(record, to: incoming)
            for (number, partition) in record.partitions.enumerated() {
                for batch in partition.batches where isWanted(batch) {
                    try job.checkCancelled()
                    let count = try reader.withPieces(of: batch) { rows, dead throws(IncomingFailure) in
                        try log.replay(
                            rows: rows, dead: dead, to: number, from: partition.bounds.lowerBound, range)
                    }
                    job.update { progress in
                        progress.bytes += batch.bytes
                        progress.records += count
                    }
                }
            }
            log.finish(bounds: nil)
        }
        try job.checkCancelled()
        do throws(EngineError) { try incoming.publish(replacing: options.replaces) } catch {
            throw .engine(error)
        }
    }

    private func add(
        _ record: SnapshotManifest.LogRecord, to incoming: IncomingLogs
    ) throws(SnapshotFailure) -> IncomingLog {
        do throws(EngineError) {
            return try incoming.add(
                named: options.name(of: record.name), record.configuration.forReplay,
                replacing: options.replaces)
        } catch {
            throw .engine(error)
        }
    }
}

extension LogConfiguration {
    /// In memory, and nothing leaves it by itself: what is loaded is old already.
    var forReplay: LogConfiguration {
        var replay = LogConfiguration()
        replay.partitions = partitions
        replay.compaction = compaction
        replay.tombstones = tombstones
        replay.schema = schema
        return replay
    }
}
