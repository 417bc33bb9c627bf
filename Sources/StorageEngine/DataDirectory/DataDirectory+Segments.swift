import Platform

// Reading what lies in segments, checked against its checksum.
extension DataDirectory {
    /// The rows of a stored batch, where they lie: valid as long as the mapping is held.
    func image(of stored: StoredImage) throws(StorageFailure) -> (image: BatchImage, mapping: any MappedBytes)
    {
        let (mapping, bytes) = try content(of: stored.piece)
        do throws(BinaryReader.Malformed) {
            let image = try BatchImage(decoding: bytes)
            guard image.rows == stored.rows, image.base == stored.base, image.endOfRange == stored.endOfRange,
                image.isStub == (stored.archived != nil)
            else { throw .init() }
            return (image, mapping)
        } catch {
            throw damage(stored.piece, "the batch is not valid")
        }
    }

    /// The bytes of a piece, which have its checksum.
    func append(_ piece: SegmentPiece, to buffer: ByteBuffer) throws(StorageFailure) {
        let (mapping, bytes) = try content(of: piece)
        withExtendedLifetime(mapping) { buffer.append(bytes) }
    }

    func bitmaps(
        of dead: StoredImage.DeadRows, rows: Int
    ) throws(StorageFailure) -> (present: Bitmap?, newest: Bitmap?) {
        let bytes = try content(of: dead.piece)
        do throws(BinaryReader.Malformed) {
            return try DeadRowsImage.decode(bytes.bytes, rows: rows)
        } catch {
            throw damage(dead.piece, "the bitmaps are not valid")
        }
    }

    private func content(
        of piece: SegmentPiece
    ) throws(StorageFailure) -> (mapping: any MappedBytes, bytes: UnsafeRawBufferPointer) {
        let mapping = try mapping(of: piece.segment)
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

    private func mapping(of id: SegmentID) throws(StorageFailure) -> any MappedBytes {
        if let known = mappings.withLock({ $0[id] }) { return known }
        let path = path(of: id)
        do {
            let mapping = try files.open(path, .read).map()
            try SegmentFormat.checkHeader(mapping.bytes, id)
            mappings.withLock { $0[id] = mapping }
            return mapping
        } catch let failure as FileFailure {
            throw StorageFailure(failure)
        } catch let error as UnknownVersion {
            throw StorageFailure(path: path, unknown: error)
        } catch {
            throw StorageFailure(path: path, position: 0, reason: "the file's header is not valid")
        }
    }

    /// The file is not needed any more. Batches that are mapped from it stay readable.
    func remove(_ id: SegmentID) throws(FileFailure) {
        mappings.withLock { $0[id] = nil }
        try files.remove(path(of: id))
    }

    private func damage(_ piece: SegmentPiece, _ reason: String) -> StorageFailure {
        StorageFailure(path: path(of: piece.segment), position: piece.position, reason: reason)
    }
}

extension StorageFailure {
    init(path: String, unknown error: UnknownVersion) {
        self.init(
            path: path,
            reason: "the file is of format version \(error.version), which this server does not know")
    }
}
