import Platform

/// Reads every byte of a data directory and changes nothing.
package struct DirectoryCheck: Sendable {
    package private(set) var files = 0
    package private(set) var bytes = 0
    package private(set) var logs = 0
    /// In segments.
    package private(set) var batches = 0
    package private(set) var records = 0
    /// Of the write-ahead log.
    package private(set) var frames = 0
    /// Cut off by a loss of power before they were acknowledged: no damage.
    package private(set) var tornFrames = 0
    /// Segments that nothing refers to: the next start removes them.
    package private(set) var unneededSegments = 0
    package private(set) var damage: [StorageFailure] = []

    private let directory: DataDirectory

    /// - Throws: when the directory cannot be read at all, or a server uses it.
    package init(_ directory: DataDirectory) throws(StorageFailure) {
        self.directory = directory
        var checkpoint = Checkpoint()
        do throws(StorageFailure) {
            let stored = try CheckpointRecovery(directory)
            checkpoint = stored.checkpoint
            if let repaired = stored.repaired { damage.append(repaired) }
        } catch {
            damage.append(error)
        }
        logs = checkpoint.logs.count
        do throws(FileFailure) {
            for file in [Checkpoint.file, Checkpoint.copy, LastRun.file] {
                if let content = try directory.content(of: file) { count(content) }
            }
            try checkSegments(checkpoint)
        } catch {
            throw StorageFailure(error)
        }
        checkLog(checkpoint)
    }

    private mutating func count(_ content: any MappedBytes) {
        files += 1
        bytes += content.bytes.count
    }

    private mutating func checkSegments(_ checkpoint: Checkpoint) throws(FileFailure) {
        let needed = checkpoint.images.segments
        for name in try directory.files.list(directory.segmentPath).sorted() {
            guard let id = SegmentFormat.id(ofFile: name) else { continue }
            count(try directory.files.open(directory.path(of: id), .read).map())
            if !needed.contains(id) {
                unneededSegments += 1
                continue
            }
            damage += directory.damage(in: id)
        }
        for image in checkpoint.images {
            do throws(StorageFailure) {
                _ = try directory.image(of: image)
                if let dead = image.dead { _ = try directory.bitmaps(of: dead, rows: image.rows) }
                batches += 1
                records += image.presentCount
            } catch {
                if !damage.contains(error) { damage.append(error) }
            }
        }
    }

    private mutating func checkLog(_ checkpoint: Checkpoint) {
        var log = WALRecovery(
            files: directory.files, directory: directory.walPath, after: checkpoint.lsn,
            required: directory.requiredWALFiles(checkpoint), removesBlanks: false)
        do throws(StorageFailure) {
            try log.run(directory.foundWALFiles, progress: { _ in }) { _, payload in
                try WALItem.forEach(in: payload) { _ in }
            }
        } catch {
            damage.append(error)
        }
        files += directory.foundWALFiles.count
        bytes += log.bytesRead
        frames = log.frames
        tornFrames = log.tornFrames
    }
}

extension DataDirectory {
    /// Every piece that the segment's own index names.
    fileprivate func damage(in id: SegmentID) -> [StorageFailure] {
        let path = path(of: id)
        do {
            let mapping = try files.open(path, .read).map()
            return try withExtendedLifetime(mapping) {
                let content = mapping.bytes
                try SegmentFormat.checkHeader(content, id)
                return try SegmentFormat.index(of: content, id).compactMap { entry in
                    let piece = entry.piece
                    let bytes = UnsafeRawBufferPointer(
                        rebasing: content[piece.position..<piece.position + piece.bytes])
                    return SegmentFormat.checksum(bytes) == piece.checksum
                        ? nil
                        : StorageFailure(
                            path: path, position: piece.position, reason: "the checksum is wrong")
                }
            }
        } catch let failure as FileFailure {
            return [StorageFailure(failure)]
        } catch let error as UnknownVersion {
            return [StorageFailure(path: path, unknown: error)]
        } catch {
            return [StorageFailure(path: path, reason: "its header or its index is not valid")]
        }
    }
}
