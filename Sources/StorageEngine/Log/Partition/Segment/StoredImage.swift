/// Names a segment file; higher ones were written later.
struct SegmentID: RawRepresentable, Hashable, Comparable, Sendable {
    let rawValue: UInt64
    static func < (left: SegmentID, right: SegmentID) -> Bool { left.rawValue < right.rawValue }
}

/// Bytes in a segment and their checksum.
struct SegmentPiece: Equatable, Sendable {
    let segment: SegmentID
    let position: Int
    let bytes: Int
    let checksum: UInt64
}

/// Where the rows of a batch lie on disk, and what is known of them there.
struct StoredImage: Equatable, Sendable {
    let piece: SegmentPiece
    let base: Int64
    let endOfRange: Int64
    /// A batch that has more was written to since.
    let rows: Int
    let summary: BatchSummary
    /// Which of the rows are dead; nil: none.
    var dead: DeadRows?
    /// The piece is a stub, and this the whole image.
    var archived: ArchivedPiece?

    /// The bitmaps of a batch as they were written. Bits are only ever cleared, so their number tells whether they changed.
    struct DeadRows: Equatable, Sendable {
        let piece: SegmentPiece
        let presentCount: Int
        let newestCount: Int
    }

    var presentCount: Int { dead?.presentCount ?? rows }
    var newestCount: Int { dead?.newestCount ?? rows }
}

/// What a batch is asked without looking at its rows.
struct BatchSummary: Equatable, Sendable {
    let earliestDeadline: Int64
    let maxTimestamp: Int64
    let lastArrival: Int64
    let lastTombstone: Int64
}

extension Sequence<StoredImage> {
    /// Those that hold rows or bitmaps of them.
    var segments: Set<SegmentID> {
        reduce(into: []) { needed, image in
            needed.insert(image.piece.segment)
            if let dead = image.dead { needed.insert(dead.piece.segment) }
        }
    }
}
