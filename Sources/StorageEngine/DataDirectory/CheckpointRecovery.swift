import Platform

/// Makes the logs of a checkpoint again, a batch at a time, each checked against its checksum.
struct CheckpointRecovery {
    private let directory: DataDirectory
    let checkpoint: Checkpoint
    /// The length of each segment file that is there.
    private(set) var segments: [SegmentID: Int] = [:]
    private(set) var bytesRead = 0
    /// Batches that were left out.
    private(set) var damage: [StorageFailure] = []
    /// One of the two files of the checkpoint, which the other one made up for.
    let repaired: StorageFailure?

    /// - Throws: `StorageFailure` when both files of the checkpoint are damaged, or a segment that it needs is missing.
    init(_ directory: DataDirectory) throws(StorageFailure) {
        self.directory = directory
        let both = try directory.checkpoints()
        checkpoint = both.newest
        repaired = both.damaged
        do throws(FileFailure) {
            for name in try directory.files.list(directory.segmentPath) {
                guard let id = SegmentFormat.id(ofFile: name) else { continue }
                segments[id] = try directory.files.open(directory.path(of: id), .read).size()
            }
        } catch {
            throw StorageFailure(error)
        }
    }

    /// What is to be read.
    var imageBytes: Int { checkpoint.images.reduce(0) { $0 + $1.piece.bytes } }

    /// Files that no checkpoint came to refer to.
    mutating func removeUnneeded() throws(StorageFailure) {
        let needed = checkpoint.images.segments
        for id in segments.keys where !needed.contains(id) {
            do throws(FileFailure) { try directory.remove(id) } catch {
                throw StorageFailure(error)
            }
            segments[id] = nil
        }
    }

    /// - Parameter progress: bytes read so far.
    mutating func restore(
        _ record: Checkpoint.LogRecord, in log: Log, progress: (Int) -> Void
    ) throws(StorageFailure) {
        for (partition, stored) in zip(log.partitions, record.partitions) {
            partition.state.withLock { $0.beginRestoring(first: stored.first) }
            for image in stored.images {
                do throws(StorageFailure) {
                    let batch = try self.batch(of: image, log)
                    partition.state.withLock { $0.restore(batch) }
                    if batch.isMapped { partition.cool(batch, directory.keyPages, givesWay: false) }
                } catch {
                    try directory.putAside(error, [])
                    damage.append(error)
                }
                bytesRead += image.piece.bytes
                progress(bytesRead)
            }
            partition.state.withLock { $0.finishRestoring(tail: stored.tail, onDisk: true) }
        }
        log.producers.withLock { table in
            for call in record.producers { table.restore(call) }
        }
    }

    private func batch(of stored: StoredImage, _ log: Log) throws(StorageFailure) -> Batch {
        let (image, mapping) = try directory.image(of: stored)
        let batch = log.makeBatch(stored, image, mapping)
        batch.header.pointee.take(stored.summary)
        batch.stored = stored
        if let dead = stored.dead {
            let (present, newest) = try directory.bitmaps(of: dead, rows: stored.rows)
            batch.restore(present: present, newest: newest)
        }
        return batch
    }
}

extension DataDirectory {
    /// The newest checkpoint there is, and which of its two files cannot be used.
    /// - Throws: when none can.
    fileprivate func checkpoints() throws(StorageFailure) -> (newest: Checkpoint, damaged: StorageFailure?) {
        var newest: Checkpoint?
        var damaged: StorageFailure?
        for name in [Checkpoint.file, Checkpoint.copy] {
            let path = "\(path)/\(name)"
            do {
                guard let content = try content(of: name) else { continue }
                let found = try Checkpoint(decoding: content.bytes)
                if newest.map({ $0.lsn < found.lsn }) ?? true { newest = found }
            } catch let error as UnknownVersion {
                // A later server may have written this one and not yet the other.
                throw StorageFailure(path: path, unknown: error)
            } catch let failure as FileFailure {
                if failure.mayPass { throw StorageFailure(failure) }
                damaged = damaged ?? StorageFailure(failure)
            } catch {
                damaged =
                    damaged
                    ?? StorageFailure(path: path, position: 0, reason: "its checksum or its content is wrong")
            }
        }
        if newest == nil, let damaged { throw damaged }
        return (newest ?? Checkpoint(), damaged)
    }
}

extension Log {
    /// In memory as long as there is room and its mode keeps it there, else where it lies.
    fileprivate func makeBatch(
        _ stored: StoredImage, _ image: BatchImage, _ mapping: any MappedBytes
    ) -> Batch {
        if let piece = stored.archived {
            let archived = ArchivedBatch(piece, archive.object(piece.object))
            return Batch(image, in: mapping, archived: archived, account: account)
        }
        let lastArrival = stored.summary.lastArrival
        let (pool, tiers) = partitions[0].state.withLock { ($0.pool, $0.policy.tiers) }
        let isCold = tiers.map { addingSaturated(lastArrival, $0.memoryMilliseconds) <= clock.now() } ?? false
        return isCold || account.freeBytes <= image.footprintBytes
            ? Batch(image, in: mapping, account: account)
            : Batch(copying: image, pool: pool, account: account)
    }
}
