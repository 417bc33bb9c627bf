import Platform
import Synchronization

/// What an engine has in object stores: which objects there are, who refers to them, and what was read of them lately.
///
/// An object is deleted once no checkpoint that may be in force refers to it and nobody in memory reads it.
final class Archive: Sendable {
    /// The stores of a directory, as its checkpoint names them.
    struct Space: Equatable, Sendable {
        /// Random: the names of its objects begin with it, so that several servers may use one location.
        let number: UInt64
        /// Every location that was ever used, in order: objects are told by its place here. None is ever taken out.
        var locations: [String]
    }

    private struct Known {
        /// Nil: nobody reads it.
        weak var object: ArchiveObject?
    }

    private struct State {
        var space: Space?
        /// How many of the locations are in the checkpoint in force: the others must not be written to yet.
        var locationsInForce = 0
        /// By their own spelling of where they are, and by those that `space` has.
        var stores: [String: any ArchiveStore] = [:]
        /// Those that are there, or may be.
        var objects: [ArchiveObjectID: Known] = [:]
        /// By a checkpoint that is, or may be, in force.
        var referred: Set<ArchiveObjectID> = []
        /// This server has written one: what an older one refers to plays no part any more.
        var hasCheckpoint = false
        /// Locations that were looked through for what an earlier server has left.
        var searched: Set<Int> = []
    }

    private let open: OpenArchive?
    private let state = Lock(State())
    let figures = ArchiveFigures()
    let cache: ArchiveCache
    let threads = ArchiveThreads()
    private let stopping = Atomic<Bool>(false)
    let wakeUp = WakeUp()
    /// Whoever moves batches does so alone.
    let turn = Lock(ArchiveTurn())

    init(_ open: OpenArchive?, memory: MemoryAccount) {
        self.open = open
        cache = ArchiveCache(memory, figures)
    }

    var isStopping: Bool { stopping.load(ordering: .sequentiallyConsistent) }

    /// Nothing more is moved; who waits for a value gets it.
    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        wakeUp.signal()
        threads.stop()
    }

    // MARK: Stores

    /// - Throws: `invalidConfiguration` when no log may have its archive there.
    func check(_ location: String) throws(EngineError) {
        guard let open else {
            throw .invalidConfiguration(
                field: "hybrid.s3_archive", reason: "cannot be set: this server has no object store")
        }
        do { _ = try opened(location, open) } catch {
            throw .invalidConfiguration(field: "hybrid.s3_archive", reason: "is not accepted: \(error)")
        }
    }

    /// The one store of a place, however that is written.
    private func opened(_ location: String, _ open: OpenArchive) throws -> any ArchiveStore {
        if let known = state.withLock({ $0.stores[location] }) { return known }
        let store = try open(location)
        return state.withLock { state in
            let known = state.stores[store.location] ?? store
            state.stores[store.location] = known
            if state.space?.locations.contains(location) == true { state.stores[location] = known }
            return known
        }
    }

    private func opened(_ location: String) throws(ArchiveFailure) -> any ArchiveStore {
        guard let open else { throw ArchiveFailure("this server has no object store for it") }
        do { return try opened(location, open) } catch {
            throw ArchiveFailure("\(location) is not accepted: \(error)")
        }
    }

    /// The store of an object.
    func store(_ location: Int) throws(ArchiveFailure) -> any ArchiveStore {
        let name = state.withLock { state -> String? in
            guard let space = state.space, space.locations.indices.contains(location) else { return nil }
            return space.locations[location]
        }
        guard let name else { throw ArchiveFailure("this server has no object store for it") }
        return try opened(name)
    }

    func key(_ id: ArchiveObjectID) -> String {
        ArchiveFormat.key(id, space: state.withLock { $0.space?.number ?? 0 })
    }

    // MARK: Locations

    /// What the next checkpoint has to say.
    var space: Space? { state.withLock { $0.space } }

    /// The place of a location, entered first if it is new. Only who has the `turn` asks.
    /// - Returns: nil when a checkpoint has to name it before anything may be put there.
    func place(of location: String) throws(ArchiveFailure) -> Int? {
        let name = try opened(location).location
        // Checkpoints may have another spelling of it. One that is not accepted any more is no other's.
        let known = (space?.locations ?? []).map { (try? opened($0))?.location ?? $0 }
        return state.withLock { state in
            var space = state.space ?? Space(number: UInt64.random(in: 1...UInt64.max), locations: [])
            let place = known.firstIndex(of: name) ?? space.locations.count
            if place == space.locations.count { space.locations.append(name) }
            state.space = space
            return place < state.locationsInForce ? place : nil
        }
    }

    // MARK: Objects

    /// One that nobody else will ever name so.
    func newObject(of log: LogID, at location: Int) -> ArchiveObject {
        object(ArchiveObjectID(location: location, log: log, number: UInt64.random(in: 0...UInt64.max)))
    }

    /// Who holds it keeps it from being deleted.
    func object(_ id: ArchiveObjectID) -> ArchiveObject {
        state.withLock { state in
            if let known = state.objects[id]?.object { return known }
            let object = ArchiveObject(id)
            state.objects[id] = Known(object: object)
            return object
        }
    }

    /// Before a batch of a recovered checkpoint is made.
    func recovered(_ checkpoint: Checkpoint) {
        let referred = Set(checkpoint.images.compactMap { $0.archived?.object })
        state.withLock { state in
            state.space = checkpoint.archive
            state.locationsInForce = checkpoint.archive?.locations.count ?? 0
            state.referred = referred
        }
    }

    /// Before a checkpoint is written, which may then be in force whatever comes back.
    func willPublish(_ checkpoint: Checkpoint) {
        let referred = checkpoint.images.compactMap { $0.archived?.object }
        if !referred.isEmpty { state.withLock { $0.referred.formUnion(referred) } }
    }

    /// It is in force.
    func didPublish(_ checkpoint: Checkpoint) {
        let referred = Set(checkpoint.images.compactMap { $0.archived?.object })
        state.withLock { state in
            state.referred = referred
            state.locationsInForce = checkpoint.archive?.locations.count ?? 0
            state.hasCheckpoint = true
        }
    }

    /// Whether a checkpoint would leave objects to nobody.
    var hasUnreadObjects: Bool {
        state.withLock { state in state.referred.contains { state.objects[$0]?.object == nil } }
    }

    /// Nobody refers to them, and nobody reads them.
    private var unneeded: [ArchiveObjectID] {
        state.withLock { state in
            guard state.hasCheckpoint else { return [] }
            return state.objects.filter { $0.value.object == nil && !state.referred.contains($0.key) }.map(
                \.key)
        }
    }

    /// Deletes what nobody needs. What cannot be deleted now is tried again by the next call.
    func deleteUnneeded() {
        search()
        for id in unneeded {
            do throws(ArchiveFailure) {
                try store(id.location).delete(key(id))
                state.withLock { _ = $0.objects.removeValue(forKey: id) }
                figures.noteDeleted()
            } catch {
                figures.noteDeleteFailure()
            }
        }
    }

    /// Once a run: finds what an earlier server has put somewhere and could refer to, or delete, no more.
    private func search() {
        let (space, open) = state.withLock { state -> (Space?, [Int]) in
            guard state.hasCheckpoint, let space = state.space else { return (nil, []) }
            let places = space.locations.indices.filter { $0 < state.locationsInForce }
            return (space, places.filter { !state.searched.contains($0) })
        }
        guard let space else { return }
        for location in open {
            // What cannot be listed now is tried again later.
            guard let keys = try? store(location).list(ArchiveFormat.prefix(space.number)) else { continue }
            let ids = keys.compactMap { ArchiveFormat.id(ofKey: $0, space: space.number, location: location) }
            state.withLock { state in
                // Two locations may be the same place after all, as by a link: the object is known by the other then.
                let known = Set(state.objects.keys.map(\.name)).union(state.referred.map(\.name))
                for id in ids where !known.contains(id.name) { state.objects[id] = Known() }
                state.searched.insert(location)
            }
        }
    }

    // MARK: Reading

    /// The whole of a batch whose values are in the archive. May wait for the store.
    /// - Throws: `archiveUnavailable`, `archiveDamaged`.
    func load(_ archived: ArchivedBatch, log: String) throws(EngineError) -> Batch {
        try cache.batch(archived.piece, log) { () throws(ArchiveFailure) in
            let piece = archived.piece
            return try store(piece.object.location).get(
                key(piece.object), piece.position..<piece.position + piece.bytes)
        } name: {
            key(archived.piece.object)
        }
    }
}

/// What only one thread at a time may do.
struct ArchiveTurn: ~Copyable {
    /// On the monotonic clock, in milliseconds: after a failure.
    var notBefore: Int64 = 0
    var nextSweep: Int64 = 0
}
