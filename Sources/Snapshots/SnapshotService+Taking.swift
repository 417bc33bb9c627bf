import ObjectStorage
import Platform
import StorageEngine

// Snapshots that are asked for, and those that are taken by themselves.
extension SnapshotService {
    /// Begins a snapshot.
    /// - Parameters:
    ///   - location: nil: the configured one.
    ///   - logs: nil: all.
    package func take(location: String? = nil, logs: [String]? = nil) throws(SnapshotFailure) -> Job {
        for log in logs ?? [] where engine.log(named: log) == nil { throw .logNotFound(log: log) }
        return try begin(at: try place(location), logs: logs, logs == nil ? .all : .some) { _ in }
    }

    func begin(
        at place: ObjectLocation, logs: [String]?, _ kind: SnapshotName.Kind,
        _ ended: @escaping @Sendable (Job) -> Void
    ) throws(SnapshotFailure) -> Job {
        let location = place.description
        try occupy(location)
        let name = SnapshotName(at: engine.clock.now(), kind, after: lastName(at: place))
        let job = Job(.snapshot, name: name.text, location: location, startedAt: engine.clock.now())
        do throws(SnapshotFailure) {
            try jobs.run(job, engine.clock) { [self] job throws(SnapshotFailure) in
                defer { free(location) }
                try take(name, at: place, logs, job)
            } ended: { [self] job in
                metrics.note(job)
                ended(job)
            }
        } catch {
            free(location)
            throw error
        }
        return job
    }

    private func take(
        _ name: SnapshotName, at place: ObjectLocation, _ logs: [String]?, _ job: Job
    ) throws(SnapshotFailure) {
        let store = try open(place, job)
        let names = try store.names()
        if let newest = names.last, newest > name {
            throw .busy(reason: "the clock is behind \(newest.text), which is there already: try again")
        }
        let known = state.withLock { $0.known[job.location] }
        // What a cancelled snapshot leaves is removed too, unless the server is in a hurry.
        let leftovers = try open(place) { [jobs] in jobs.isStopping }
        let run = SnapshotRun(
            engine: engine, store: store, leftovers: leftovers, job: job, name: name,
            packBytesMax: configuration.packBytesMax
        ) { [self] in freeBytes(at: place) }
        let sent = try run.run(logs: logs, known, before: names.last)
        state.withLock { state in
            if logs == nil {
                state.known[job.location] = sent
            } else {
                state.known[job.location, default: KnownPieces()].merge(sent)
            }
        }
    }

    /// How long a store is asked what it has before a snapshot is begun.
    private static let lookMilliseconds: Int64 = 5_000

    /// Others may have taken some there, by a clock that is ahead of this one: the newest has to be the one taken last.
    private func lastName(at place: ObjectLocation) -> SnapshotName? {
        let own = jobs.all(.snapshot).filter { $0.location == place.description }
        // Where the store does not answer, the job will say so.
        let there = try? open(place, Self.lookMilliseconds).names().last
        return (own.compactMap { SnapshotName($0.name) } + [there].compactMap(\.self)).max()
    }

    private func freeBytes(at place: ObjectLocation) -> Int? {
        guard case .directory(let path) = place else { return nil }
        // It may not exist yet, and then what is above it tells.
        var existing = path
        while !existing.isEmpty, !SystemFiles().exists(existing) {
            existing = String(existing[..<(existing.lastIndex(of: "/") ?? existing.startIndex)])
        }
        // Where the system does not say, writing will.
        return try? SystemFiles().freeBytes(at: existing.isEmpty ? "/" : existing)
    }

    // MARK: By itself

    /// How long ago a snapshot must have been begun before what it left is taken for abandoned.
    private static let abandonedMilliseconds: Int64 = 24 * 3_600_000

    func takePeriodic() {
        guard let place = configuration.location else { return }
        let done = Awaited<Void>()
        do throws(SnapshotFailure) {
            _ = try begin(at: place, logs: nil, .periodic) { [self] job in
                if let failure = job.progress.failure {
                    if !jobs.isStopping {
                        report("the periodic snapshot failed, the next one tries again: \(failure)")
                    }
                } else {
                    tidy(place)
                }
                done.fulfil(())
            }
        } catch {
            report("the periodic snapshot was not begun, the next one tries again: \(error)")
            done.fulfil(())
        }
        done.wait()
    }

    /// Only as many of them stay as configured; those that were asked for stay.
    private func tidy(_ place: ObjectLocation) {
        do throws(SnapshotFailure) {
            let location = place.description
            try occupy(location)
            defer { free(location) }
            let store = try open(place, Self.deleteMilliseconds)
            let periodic = try store.names().filter(\.isPeriodic)
            for name in periodic.dropLast(max(1, configuration.keep)) { try remove(name, from: store) }
            let limit = engine.clock.now() - Self.abandonedMilliseconds
            let count = try store.removeLeftovers(begunBefore: limit)
            if count > 0 { report("\(count) objects of snapshots that were never completed were removed") }
        } catch {
            report("old snapshots were not removed, that is tried again after the next one: \(error)")
        }
    }
}
