import ObjectStorage
import Platform
import StorageEngine

/// Gathers pieces into packs and stores each when it is full.
struct PackWriter {
    private let store: SnapshotStore
    private let name: SnapshotName
    private let packBytes: Int
    private let buffer: ByteBuffer
    private(set) var packs: [SnapshotManifest.Pack] = []
    private var numbers: [String: Int] = [:]
    /// The pack that is being gathered, once it has something.
    private var open: Int?
    private(set) var writtenKeys: [String] = []
    private(set) var sentBytes = 0
    /// What it takes in memory.
    var capacityBytes: Int { buffer.allocatedBytes }

    init(_ store: SnapshotStore, _ name: SnapshotName, packBytes: Int) {
        self.store = store
        self.name = name
        self.packBytes = packBytes
        buffer = ByteBuffer(capacity: packBytes)
    }

    /// A piece that lies in a pack of an earlier snapshot.
    mutating func refer(to place: KnownPieces.Place) -> SnapshotManifest.Piece {
        var piece = place.piece
        piece.pack = number(of: place.pack)
        return piece
    }

    private mutating func number(of pack: SnapshotManifest.Pack) -> Int {
        if let known = numbers[pack.key] { return known }
        numbers[pack.key] = packs.count
        packs.append(pack)
        return packs.count - 1
    }

    /// - Parameters:
    ///   - bytes: about as long as it will be.
    ///   - known: where it lies already, if that turns out.
    mutating func write(
        bytes: Int, _ encode: (ByteBuffer) -> Void,
        known: (_ bytes: Int, _ checksum: UInt64) -> KnownPieces.Place?
    ) throws(SnapshotFailure) -> SnapshotManifest.Piece {
        if buffer.count > 0, buffer.count + bytes > packBytes { try flush() }
        let end = buffer.count
        buffer.pad(to: 64)
        let position = buffer.count
        encode(buffer)
        let content = UnsafeRawBufferPointer(rebasing: buffer.bytes[position...])
        let checksum = SnapshotManifest.Piece.checksum(of: content)
        if let place = known(content.count, checksum) {
            buffer.truncate(to: end)
            return refer(to: place)
        }
        return SnapshotManifest.Piece(
            pack: openPack(), position: position, bytes: content.count, checksum: checksum)
    }

    private mutating func openPack() -> Int {
        if let open { return open }
        let key = SnapshotStore.packKey(writtenKeys.count + 1, of: name)
        packs.append(SnapshotManifest.Pack(key: key, bytes: 0))
        open = packs.count - 1
        return packs.count - 1
    }

    /// Stores what was gathered.
    mutating func flush() throws(SnapshotFailure) {
        guard let number = open else { return }
        let pack = SnapshotManifest.Pack(key: packs[number].key, bytes: buffer.count)
        packs[number] = pack
        numbers[pack.key] = number
        open = nil
        // Before it is tried: half a success may leave it there.
        writtenKeys.append(pack.key)
        let bytes = buffer
        try store.put(
            pack.key,
            ObjectSource(length: bytes.count) { offset, target in
                target.copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes.bytes[offset..<offset + target.count]))
            })
        sentBytes += pack.bytes
        buffer.removeAll()
    }
}
