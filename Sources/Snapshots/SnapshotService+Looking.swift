import ObjectStorage
import Platform
import StorageEngine

// What there is, and removing it.
extension SnapshotService {
    /// Those at a location, or at the configured one and where snapshots were taken since the start; oldest first.
    package func snapshots(at location: String?) throws(SnapshotFailure) -> [SnapshotInfo] {
        var places: [ObjectLocation] = []
        if let location {
            places = [try place(location)]
        } else {
            places = try knownPlaces()
        }
        var infos: [SnapshotInfo] = []
        for place in places {
            let jobs = jobs.all(.snapshot).filter { $0.location == place.description }
            let store = try open(place, Self.answerMilliseconds)
            for name in try store.names() where !jobs.contains(where: { $0.name == name.text }) {
                infos.append(try info(name, store))
            }
            infos += jobs.map { SnapshotInfo($0) }
        }
        return infos.sorted { $0.name < $1.name }
    }

    private func knownPlaces() throws(SnapshotFailure) -> [ObjectLocation] {
        var places = configuration.location.map { [$0] } ?? []
        for job in jobs.all(.snapshot) where !places.contains(where: { $0.description == job.location }) {
            places.append(try place(job.location))
        }
        return places
    }

    /// - Throws: `snapshotNotFound`.
    package func snapshot(_ text: String, at location: String?) throws(SnapshotFailure) -> SnapshotInfo {
        if let job = jobs.job(.snapshot, named: text) { return SnapshotInfo(job) }
        let (name, store) = try find(text, at: location)
        return try info(name, store)
    }

    private func info(_ name: SnapshotName, _ store: SnapshotStore) throws(SnapshotFailure) -> SnapshotInfo {
        let key = "\(store.location)/\(name.text)"
        if let seen = state.withLock({ $0.seen[key] }) {
            return SnapshotInfo(name, at: store.location, seen)
        }
        let (manifest, digest) = try store.manifest(of: name)
        var progress = Job.Progress()
        progress.phase = .complete
        progress.snapshot = name.text
        progress.time = manifest.time
        progress.logs = manifest.logs.map(\.name)
        progress.bytes = manifest.bytes
        progress.bytesTotal = manifest.bytes
        progress.records = manifest.logs.reduce(0) { $0 + $1.recordCount }
        progress.digest = digest
        state.withLock { $0.seen[key] = progress }
        return SnapshotInfo(name, at: store.location, progress)
    }

    /// The snapshot is gone; and one that is being taken ends.
    package func delete(_ text: String, at location: String?) throws(SnapshotFailure) {
        if let job = jobs.job(.snapshot, named: text), job.progress.phase != .complete {
            if job.isRunning { job.cancel() } else { jobs.forget(.snapshot, named: text) }
            return
        }
        let (name, store) = try find(text, at: location, Self.deleteMilliseconds)
        try occupy(store.location)
        defer { free(store.location) }
        try store.delete(name)
        state.withLock { $0.seen["\(store.location)/\(name.text)"] = nil }
        jobs.forget(.snapshot, named: text)
    }
}
