import Platform

/// Makes the logs of a checkpoint again, a batch at a time, each checked against its checksum.
struct CheckpointRecovery {
    private let directory: DataDirectory
    let checkpoint: Checkpoint
    /// The length of each segment file that is there.
    private(set) var segments: [SegmentID: Int] = [:]
    private var mapped: [SegmentID: any MappedBytes] = [:]
    private(set) var bytesRead = 0

    /// - Throws: `StorageFailure` when the checkpoint is damaged, or a segment that it needs is missing.
    init(_ directory: DataDirectory) throws(StorageFailure) {
        self.directory = directory
        let path = "\(directory.path)/\(Checkpoint.file)"
        do {
            let content = try directory.content(of: Checkpoint.file)
            checkpoint = try content.map { try Checkpoint(decoding: $0.bytes) } ?? Checkpoint()
            for name in try directory.files.list(directory.segmentPath) {
                guard let id = SegmentFormat.id(ofFile: name) else { continue }
                segments[id] = try directory.files.open(directory.path(of: id), .read).size()
            }
        } catch let failure as FileFailure {
            throw StorageFailure(failure)
        } catch let error as UnknownVersion {
            throw StorageFailure(
                path: path,
                reason: "the file is of format version \(error.version), which this server does not know")
        } catch {
            throw StorageFailure(path: path, position: 0, reason: "its checksum or its content is wrong")
        }
    }

    /// What is to be read.
    var imageBytes: Int { checkpoint.images.reduce(0) { $0 + $1.piece.bytes } }

    /// Files that no checkpoint came to refer to.
    mutating func removeUnneeded() throws(StorageFailure) {
        var needed: Set<SegmentID> = []
        for image in checkpoint.images {
            needed.insert(image.piece.segment)
            if let dead = image.dead { needed.insert(dead.piece.segment) }
        }
        for id in segments.keys where !needed.contains(id) {
            do throws(FileFailure) { try directory.files.remove(directory.path(of: id)) } catch {
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
                let batch = try self.batch(of: image, log)
                partition.state.withLock { $0.restore(batch) }
                bytesRead += image.piece.bytes
                progress(bytesRead)
            }
            partition.state.withLock { $0.finishRestoring(tail: stored.tail) }
        }
        log.producers.withLock { table in
            for call in record.producers { table.restore(call) }
        }
    }

    /// In memory as long as there is room, else where it lies.
    private mutating func batch(of stored: StoredImage, _ log: Log) throws(StorageFailure) -> Batch {
        let (mapping, bytes) = try content(of: stored.piece)
        let batch: Batch
        do throws(BinaryReader.Malformed) {
            let image = try BatchImage(decoding: bytes)
            guard image.rows == stored.rows, image.base == stored.base, image.endOfRange == stored.endOfRange
            else { throw .init() }
            batch = log.makeBatch(image, mapping)
        } catch {
            throw damage(stored.piece, "the batch is not valid")
        }
        batch.header.pointee.take(stored.summary)
        batch.stored = stored
        if let dead = stored.dead {
            let bytes = try content(of: dead.piece).bytes
            do throws(BinaryReader.Malformed) {
                let (present, newest) = try DeadRowsImage.decode(bytes, rows: stored.rows)
                batch.restore(present: present, newest: newest)
            } catch {
                throw damage(dead.piece, "the bitmaps are not valid")
            }
        }
        return batch
    }

    private mutating func content(
        of piece: SegmentPiece
    ) throws(StorageFailure) -> (mapping: any MappedBytes, bytes: UnsafeRawBufferPointer) {
        let mapping = try map(piece.segment)
        guard piece.position % SegmentFormat.alignment == 0, piece.position <= mapping.bytes.count,
            piece.bytes <= mapping.bytes.count - piece.position
        else { throw damage(piece, "the file ends before it") }
        let bytes = UnsafeRawBufferPointer(
            rebasing: mapping.bytes[piece.position..<piece.position + piece.bytes])
        guard SegmentFormat.checksum(bytes) == piece.checksum else {
            throw damage(piece, "the checksum is wrong")
        }
        return (mapping, bytes)
    }

    private mutating func map(_ id: SegmentID) throws(StorageFailure) -> any MappedBytes {
        if let mapping = mapped[id] { return mapping }
        let path = directory.path(of: id)
        do {
            let mapping = try directory.files.open(path, .read).map()
            try SegmentFormat.checkHeader(mapping.bytes, id)
            mapped[id] = mapping
            return mapping
        } catch let failure as FileFailure {
            throw StorageFailure(failure)
        } catch let error as UnknownVersion {
            throw StorageFailure(
                path: path,
                reason: "the file is of format version \(error.version), which this server does not know")
        } catch {
            throw StorageFailure(path: path, position: 0, reason: "the file's header is not valid")
        }
    }

    private func damage(_ piece: SegmentPiece, _ reason: String) -> StorageFailure {
        StorageFailure(path: directory.path(of: piece.segment), position: piece.position, reason: reason)
    }
}

extension Log {
    fileprivate func makeBatch(_ image: BatchImage, _ mapping: any MappedBytes) -> Batch {
        let pool = partitions[0].state.withLock { $0.pool }
        let bytes = image.valueBytes + image.keyBytes + image.extrasBytes + image.rows * 40
        return account.freeBytes > bytes
            ? Batch(copying: image, pool: pool, account: account)
            : Batch(image, in: mapping, account: account)
    }
}

extension PartitionState {
    fileprivate mutating func beginRestoring(first: Int64) {
        self.first = first
        cleaned = first
    }

    /// Behind the batches that are there: its rows are visible, its keys are found.
    fileprivate mutating func restore(_ batch: Batch) {
        let header = batch.header
        if list.isEmpty { cleaned = min(cleaned, header.pointee.base) }
        list.append(batch)
        assigned = header.pointee.endOfRange
        committed = assigned
        appendedCount += header.pointee.rows
        appendedBytes += header.pointee.valueBytes + header.pointee.keyBytes
        guard header.pointee.keyBytes > 0 else { return }
        for row in 0..<header.pointee.rows where header.pointee.isNewest(row) && header.pointee.isPresent(row)
        {
            guard let key = header.pointee.key(row) else { continue }
            index.insert(xxh3(key, seed: hashSeed), header.pointee.offset(ofRow: row))
        }
        chargeIndex()
    }

    fileprivate mutating func finishRestoring(tail: Int64) {
        assigned = tail
        committed = tail
        submittedBytes = appendedBytes
        let batchBytes = list.batches.last?.allocatedBytes ?? 0
        while nextSlabBytes < min(batchBytes, SlabPool.largestSlabBytes) { nextSlabBytes *= 2 }
    }
}
