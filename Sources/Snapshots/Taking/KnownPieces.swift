import StorageEngine

/// Batches that lie at a location already, so that they are not sent again.
struct KnownPieces: Sendable {
    /// Where something lies.
    struct Place: Sendable {
        let pack: SnapshotManifest.Pack
        let piece: SnapshotManifest.Piece
    }

    /// Of this process: nothing has to be looked at to know them again.
    struct Sent: Sendable {
        let rows: Place
        let dead: Place?
        let live: BatchView.LiveCounts
        let timestamps: ClosedRange<Int64>
    }

    /// Of an earlier process: known again by what they are.
    private struct Content: Hashable {
        let log: String
        let partition: Int
        let offsets: Range<Int64>
        let bytes: Int
        let checksum: UInt64
    }

    private(set) var sent: [BatchView.Identity: Sent] = [:]
    private var stored: [Content: Place] = [:]

    mutating func note(_ identity: BatchView.Identity, _ sent: Sent) { self.sent[identity] = sent }

    /// What another snapshot has sent lies there as well.
    mutating func merge(_ other: KnownPieces) { sent.merge(other.sent) { $1 } }

    mutating func note(_ manifest: SnapshotManifest) {
        for log in manifest.logs {
            for (number, partition) in log.partitions.enumerated() {
                for batch in partition.batches {
                    let content = Content(
                        log: log.name, partition: number, offsets: batch.offsets, bytes: batch.rows.bytes,
                        checksum: batch.rows.checksum)
                    stored[content] = Place(pack: manifest.packs[batch.rows.pack], piece: batch.rows)
                }
            }
        }
    }

    func place(
        of log: String, _ partition: Int, _ offsets: Range<Int64>, bytes: Int, checksum: UInt64
    ) -> Place? {
        stored[
            Content(log: log, partition: partition, offsets: offsets, bytes: bytes, checksum: checksum)]
    }
}
