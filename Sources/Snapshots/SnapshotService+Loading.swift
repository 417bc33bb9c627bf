import ObjectStorage
import Platform
import StorageEngine

// Logs made of snapshots, and files made of logs.
extension SnapshotService {
    /// Begins to make logs of a snapshot.
    /// - Parameter name: nil: the newest that is complete.
    package func restore(
        _ name: String?, at location: String?, _ options: LoadOptions
    ) throws(SnapshotFailure) -> Job {
        try load(.restore, name, at: location) { [engine] name, store, job throws(SnapshotFailure) in
            try Restore(engine: engine, store: store, name: name, options: options, job: job).run()
        }
    }

    /// Begins to load the records of a range of time.
    /// - Parameter source: the name of a snapshot; or a location: of the newest snapshot there, or of the archive that is there;
    ///   nil: the configured one.
    package func replay(
        from source: String?, _ timestamps: Range<Int64>, _ options: LoadOptions
    ) throws(SnapshotFailure) -> Job {
        let isName = source.map { SnapshotName($0) != nil } ?? false
        if !isName {
            let store = try open(try place(source), Self.answerMilliseconds)
            if try store.newest() == nil, try ArchiveReplay.isThere(store.objects) {
                return try load(.replay, from: store) { [engine] store, job throws(SnapshotFailure) in
                    try ArchiveReplay(
                        engine: engine, objects: store.objects, options: options, timestamps: timestamps,
                        job: job
                    ).run()
                }
            }
        }
        return try load(.replay, isName ? source : nil, at: isName ? nil : source) {
            [engine] name, store, job throws(SnapshotFailure) in
            try Replay(
                engine: engine, store: store, name: name, options: options, timestamps: timestamps, job: job
            ).run()
        }
    }

    private func load(
        _ kind: Job.Kind, _ text: String?, at location: String?,
        _ body: @escaping @Sendable (SnapshotName, SnapshotStore, Job) throws(SnapshotFailure) -> Void
    ) throws(SnapshotFailure) -> Job {
        let (name, store) = try find(text, at: location)
        return try load(kind, from: store) { store, job throws(SnapshotFailure) in
            try body(name, store, job)
        }
    }

    private func load(
        _ kind: Job.Kind, from store: SnapshotStore,
        _ body: @escaping @Sendable (SnapshotStore, Job) throws(SnapshotFailure) -> Void
    ) throws(SnapshotFailure) -> Job {
        let job = Job(
            kind, name: Self.identifier(), location: store.location, startedAt: engine.clock.now())
        try jobs.run(job, engine.clock) { [self] job throws(SnapshotFailure) in
            try body(try open(try place(store.location), job), job)
        } ended: { [metrics] in
            metrics.note($0)
        }
        return job
    }

    /// Before anybody is answered: the newest snapshot becomes the state. Where there are logs already, on disk, those stay,
    /// and only what was in memory comes back, which a restart has emptied.
    /// - Returns: nil when there is no snapshot.
    package func restoreAtStart(from place: ObjectLocation) throws(SnapshotFailure) -> Job? {
        let job = Job(
            .restore, name: Self.identifier(), location: place.description, startedAt: engine.clock.now())
        let store = try open(place, job)
        guard let name = try store.newest() else { return nil }
        first.withLock { $0 = job }
        var options = LoadOptions()
        if !engine.allLogs.isEmpty {
            options.replaces = true
            options.keepsConfiguration = true
            options.isWanted = { [engine] in engine.log(named: $0)?.configuration.mode == .memory }
        }
        var failure: SnapshotFailure?
        do throws(SnapshotFailure) {
            try Restore(engine: engine, store: store, name: name, options: options, job: job).run()
        } catch {
            failure = error
        }
        job.finish(at: engine.clock.now(), failure)
        metrics.note(job)
        if let failure { throw failure }
        return job
    }

    // MARK: Files

    /// Begins something that stores one object.
    /// - Parameters:
    ///   - location: of the object, or of a directory for it; nil: the configured one.
    ///   - object: what it is called in a directory.
    package func export(
        of log: String, to location: String?, named object: String, suffix: String,
        _ body:
            @escaping @Sendable (Job, _ put: (ObjectSource) throws(SnapshotFailure) -> Void)
            throws(SnapshotFailure) -> Void
    ) throws(SnapshotFailure) -> Job {
        let (place, key) = try self.object(location, named: object, suffix: suffix)
        let job = Job(
            .export, name: Self.identifier(), location: "\(place)/\(key)", startedAt: engine.clock.now())
        let store = try open(place, job)
        job.update { $0.logs = [log] }
        try jobs.run(job, engine.clock) { job throws(SnapshotFailure) in
            try body(job) { source throws(SnapshotFailure) in
                job.update { $0.bytesTotal = source.length }
                try store.put(key, source)
                job.update { progress in
                    progress.bytes = source.length
                    progress.sentBytes = source.length
                }
            }
        } ended: { [metrics] in
            metrics.note($0)
        }
        return job
    }

    private func object(
        _ location: String?, named object: String, suffix: String
    ) throws(SnapshotFailure) -> (ObjectLocation, key: String) {
        guard let location, location.hasSuffix(suffix), let end = location.lastIndex(of: "/") else {
            return (try place(location), object)
        }
        return (try place(String(location[..<end])), String(location[location.index(after: end)...]))
    }

    private static func identifier() -> String {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
