/// Names an object. Its number is random, and never given again.
struct ArchiveObjectID: Hashable, Sendable {
    /// Of the directory's locations, by their order.
    let location: Int
    let log: LogID
    let number: UInt64

    /// What its key is made of: there are no two such objects, wherever they are.
    struct Name: Hashable {
        let log: LogID
        let number: UInt64
    }

    var name: Name { Name(log: log, number: number) }
}

/// Where the whole image of a batch lies in an object, and its checksum.
final class ArchivedPiece: Hashable, Sendable {
    let object: ArchiveObjectID
    let position: Int
    let bytes: Int
    let checksum: UInt64

    init(object: ArchiveObjectID, position: Int, bytes: Int, checksum: UInt64) {
        self.object = object
        self.position = position
        self.bytes = bytes
        self.checksum = checksum
    }

    static func == (left: ArchivedPiece, right: ArchivedPiece) -> Bool {
        left.object == right.object && left.position == right.position && left.bytes == right.bytes
            && left.checksum == right.checksum
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(object)
        hasher.combine(position)
    }
}

/// An object that somebody reads: as long as this lives, it is not deleted.
final class ArchiveObject: Sendable {
    let id: ArchiveObjectID
    init(_ id: ArchiveObjectID) { self.id = id }
}

/// A batch that was fetched in the place of a stub.
struct WholeBatch: Sendable {
    let stub: Batch
    let batch: Batch
}

/// Of a batch: its values are there, or there too.
final class ArchivedBatch: Sendable {
    let piece: ArchivedPiece
    let object: ArchiveObject

    init(_ piece: ArchivedPiece, _ object: ArchiveObject) {
        self.piece = piece
        self.object = object
    }
}
