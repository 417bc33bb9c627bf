import Platform

/// Writes one segment file: a header, pieces at multiples of 64 bytes, an index of them, a trailer.
/// `docs/formats/segment.md` draws it.
///
/// Nothing refers to it before `finish` has returned, so a file that is not finished is nobody's.
final class SegmentWriter {
    let id: SegmentID
    private let file: any OpenFile
    private let buffer = ByteBuffer(capacity: 2 << 20)
    private(set) var position = SegmentFormat.headerBytes
    private var index: [SegmentFormat.IndexEntry] = []
    private var pace = WritingPace()

    init(_ id: SegmentID, in directory: DataDirectory) throws(FileFailure) {
        self.id = id
        file = try directory.files.open(directory.path(of: id), .create)
        SegmentFormat.encodeHeader(id, to: buffer)
        try file.write(buffer.bytes, at: 0)
    }

    /// - Parameters:
    ///   - rows: from the first on; all committed.
    ///   - archived: where the whole image is, of which a stub is written then.
    func append(
        _ header: BatchHeader, rows: Int, endOfRange: Int64, archived: ArchivedPiece?, of log: LogID,
        partition: Int
    ) throws(FileFailure) -> StoredImage {
        buffer.removeAll()
        BatchImage.encode(
            header, rows: 0..<rows, endOfRange: endOfRange, .cacheLines, asStub: archived != nil, to: buffer)
        let piece = try writePiece(archived == nil ? .rows : .stub, log, partition)
        return StoredImage(
            piece: piece, base: header.base, endOfRange: endOfRange, rows: rows, summary: header.summary,
            archived: archived)
    }

    func append(
        present: Bitmap?, newest: Bitmap?, rows: Int, of log: LogID, partition: Int
    ) throws(FileFailure) -> StoredImage.DeadRows {
        buffer.removeAll()
        DeadRowsImage.encode(present: present, newest: newest, rows: rows, to: buffer)
        let piece = try writePiece(.deadRows, log, partition)
        return .init(
            piece: piece, presentCount: present?.count(in: 0..<rows) ?? rows,
            newestCount: newest?.count(in: 0..<rows) ?? rows)
    }

    private func writePiece(
        _ kind: SegmentFormat.Kind, _ log: LogID, _ partition: Int
    ) throws(FileFailure) -> SegmentPiece {
        let bytes = buffer.count
        let checksum = SegmentFormat.checksum(buffer.bytes)
        buffer.pad(to: SegmentFormat.alignment)
        try file.write(buffer.bytes, at: position)
        if pace.isPauseDue(after: buffer.count) { try file.synchronise() }
        let piece = SegmentPiece(segment: id, position: position, bytes: bytes, checksum: checksum)
        index.append(.init(kind: kind, log: log, partition: partition, piece: piece))
        position += buffer.count
        return piece
    }

    /// Afterwards it is on disk, its name included once the directory is synchronised.
    /// - Returns: the file's length.
    func finish() throws(FileFailure) -> Int {
        buffer.removeAll()
        SegmentFormat.encode(index, indexPosition: position, id: id, to: buffer)
        try file.write(buffer.bytes, at: position)
        try file.synchronise()
        return position + buffer.count
    }
}

extension BatchHeader {
    var summary: BatchSummary {
        BatchSummary(
            earliestDeadline: earliestDeadline, maxTimestamp: maxTimestamp, lastArrival: lastArrival,
            lastTombstone: lastTombstone)
    }
}
