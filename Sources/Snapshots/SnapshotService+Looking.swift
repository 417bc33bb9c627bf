import ObjectStorage
import Platform
import StorageEngine

// What there is, and removing it.
extension SnapshotService {
    /// Those at a location, or at the configured one and where snapshots were taken since the start; oldest first.
    ///
    /// Where none was completed nothing is looked for: perhaps nobody can reach that place.
    package func snapshots(at location: String?) throws(SnapshotFailure) -> [SnapshotInfo] {
        var places: [ObjectLocation] = []
        if let location {
            places = [try place(location)]
        } else {
            places = try knownPlaces()
        }
        var infos: [SnapshotInfo] = []
        for place in places {
            // Before what is there is listed: one that is complete by now has to be in that list.
            let jobs = jobs.all(.snapshot).filter { $0.location == place.description }.map {
                SnapshotInfo($0)
            }
            let store = try open(place, Self.answerMilliseconds)
            let names = try store.names()
            for name in names where !jobs.contains(where: { $0.name == name.text }) {
                if let info = try infoOrDamage(name, store) { infos.append(info) }
            }
            // Others may have removed one.
            let there = Set(names.map(\.text))
            infos += jobs.filter { $0.progress.phase != .complete || there.contains($0.name) }
        }
        if location == nil {
            let looked = Set(places.map(\.description))
            infos += jobs.all(.snapshot).filter { !looked.contains($0.location) }.map { SnapshotInfo($0) }
        }
        return infos.sorted { $0.name < $1.name }
    }

    /// One that is damaged does not hide the others. - Returns: nil for one that was removed since it was listed.
    private func infoOrDamage(
        _ name: SnapshotName, _ store: SnapshotStore
    ) throws(SnapshotFailure) -> SnapshotInfo? {
        do throws(SnapshotFailure) {
            return try info(name, store)
        } catch {
            if case .snapshotNotFound = error { return nil }
            guard error.isDamage else { throw error }
            var progress = Job.Progress()
            progress.phase = .failed
            progress.snapshot = name.text
            progress.failure = error
            return SnapshotInfo(name, at: store.location, progress)
        }
    }

    private func knownPlaces() throws(SnapshotFailure) -> [ObjectLocation] {
        var places = configuration.location.map { [$0] } ?? []
        for job in jobs.all(.snapshot)
        where job.progress.phase == .complete && !places.contains(where: { $0.description == job.location }) {
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
        try remove(name, from: store)
    }

    func remove(_ name: SnapshotName, from store: SnapshotStore) throws(SnapshotFailure) {
        try store.delete(name) {
            state.withLock { $0.seen["\(store.location)/\(name.text)"] = nil }
            jobs.forget(.snapshot, named: name.text)
        }
    }
}
