import ObjectStorage
import Platform
import StorageEngine

/// Reads the pieces of a snapshot, each checked against its checksum, several at once where they lie side by side.
final class PieceReader {
    /// What is asked of the store at a time.
    private static let windowBytes = 8 << 20
    /// A hole that is read along rather than asked around.
    private static let gapBytes = 64 << 10

    private let store: SnapshotStore
    private let packs: [SnapshotManifest.Pack]
    /// The pieces that will be wanted, in their order.
    private let plan: [SnapshotManifest.Piece]
    private var next = 0
    private var window = ByteBuffer()
    private var windowPack = -1
    private var windowStart = 0

    init(_ store: SnapshotStore, _ packs: [SnapshotManifest.Pack], plan: [SnapshotManifest.Piece]) {
        self.store = store
        self.packs = packs
        self.plan = plan
    }

    /// The piece that comes next in the plan. Valid until the next call; aligned to 64.
    /// - Throws: `damaged` naming the object.
    func read(_ piece: SnapshotManifest.Piece) throws(SnapshotFailure) -> UnsafeRawBufferPointer {
        if !isLoaded(piece) { try load(from: piece) }
        if next < plan.count, plan[next] == piece { next += 1 }
        let start = piece.position - windowStart
        let bytes = UnsafeRawBufferPointer(rebasing: window.bytes[start..<start + piece.bytes])
        guard piece.matches(bytes) else {
            throw damage(piece, "does not have its checksum at byte \(piece.position)")
        }
        return bytes
    }

    /// Reading it leaves what was read before valid.
    func isLoaded(_ piece: SnapshotManifest.Piece) -> Bool {
        piece.pack == windowPack && piece.position >= windowStart
            && piece.position + piece.bytes <= windowStart + window.count
    }

    private func load(from piece: SnapshotManifest.Piece) throws(SnapshotFailure) {
        var end = piece.position + piece.bytes
        for later in plan[min(next, plan.count)...] {
            guard later.pack == piece.pack, later.position >= piece.position,
                later.position <= end + Self.gapBytes,
                later.position + later.bytes - piece.position <= Self.windowBytes
            else { break }
            end = max(end, later.position + later.bytes)
        }
        guard piece.position % 64 == 0 else { throw damage(piece, "has a piece at byte \(piece.position)") }
        windowPack = -1
        window = ByteBuffer(capacity: min(end - piece.position, Self.windowBytes))
        let window = window
        do throws(ObjectStoreFailure) {
            try store.objects.get(packs[piece.pack].key, range: piece.position..<end) { window.append($0) }
        } catch {
            if error.kind == .notFound { throw damage(piece, "is not there") }
            throw .store(error)
        }
        guard window.count == end - piece.position else { throw damage(piece, "is shorter than it was") }
        windowPack = piece.pack
        windowStart = piece.position
    }

    func damage(_ piece: SnapshotManifest.Piece, _ reason: String) -> SnapshotFailure {
        .damaged(object: "\(store.location)/\(packs[piece.pack].key)", reason: reason)
    }
}

extension SnapshotManifest.BatchRecord {
    var pieces: [SnapshotManifest.Piece] { dead.map { [rows, $0] } ?? [rows] }
    var bytes: Int { rows.bytes + (dead?.bytes ?? 0) }
}
