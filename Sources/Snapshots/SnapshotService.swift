import Metrics
import ObjectStorage
import Platform
import StorageEngine

/// Snapshots, restores and replays of one engine. Safe from any thread; what talks to a store blocks, except for jobs.
package final class SnapshotService: Sendable {
    let engine: Engine
    let configuration: SnapshotConfiguration
    let stores: ObjectStores
    let jobs = Jobs()
    let metrics: SnapshotMetrics
    /// Is told of snapshots that were to be made by themselves and were not.
    let report: @Sendable (String) -> Void
    private struct State {
        /// Where something is being written or removed.
        var busy: Set<String> = []
        /// What lies at a location already.
        var known: [String: KnownPieces] = [:]
        /// Of complete snapshots, which never change, by their place.
        var seen: [String: Job.Progress] = [:]
    }
    private let state = Lock(State())
    private let schedule = Schedule()
    private let first = Lock<Job?>(nil)
    /// What the server is beginning with.
    package var startJob: Job? { first.withLock { $0 } }

    package init(
        _ engine: Engine, _ configuration: SnapshotConfiguration = SnapshotConfiguration(),
        stores: ObjectStores,
        metrics: MetricsRegistry, report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.engine = engine
        self.configuration = configuration
        self.stores = stores
        self.report = report
        self.metrics = SnapshotMetrics(metrics, jobs)
    }

    /// Takes snapshots by itself from now on, if that is configured.
    package func startSchedule() {
        guard let interval = configuration.intervalMilliseconds, configuration.location != nil else { return }
        schedule.start(everyMilliseconds: interval) { [weak self] in self?.takePeriodic() }
    }

    /// Ends everything; what is not complete by then is not.
    package func stop() {
        jobs.stop()
        schedule.stop()
    }

    // MARK: Taking

    /// Begins a snapshot.
    /// - Parameters:
    ///   - location: nil: the configured one.
    ///   - logs: nil: all.
    package func take(location: String? = nil, logs: [String]? = nil) throws(SnapshotFailure) -> Job {
        for log in logs ?? [] where engine.log(named: log) == nil { throw .logNotFound(log: log) }
        return try begin(at: try place(location), logs: logs, isPeriodic: false) { _ in }
    }

    private func begin(
        at place: ObjectLocation, logs: [String]?, isPeriodic: Bool,
        _ ended: @escaping @Sendable (Job) -> Void
    ) throws(SnapshotFailure) -> Job {
        let location = place.description
        try occupy(location)
        // By this process no other is begun there at the same time; the name is greater than those that are there.
        let name = SnapshotName(at: engine.clock.now(), isPeriodic: isPeriodic, after: lastName(at: location))
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
        let known = state.withLock { $0.known[job.location] }
        let run = SnapshotRun(
            engine: engine, store: store, job: job, name: name, packBytesMax: configuration.packBytesMax
        ) { [self] in freeBytes(at: place) }
        let sent = try run.run(logs: logs, known, before: names.last)
        state.withLock { $0.known[job.location] = sent }
    }

    private func lastName(at location: String) -> SnapshotName? {
        jobs.all(.snapshot).filter { $0.location == location }.compactMap { SnapshotName($0.name) }.max()
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

    // MARK: Periodic ones

    /// How long ago a snapshot must have been begun before what it left is taken for abandoned.
    private static let abandonedMilliseconds: Int64 = 24 * 3_600_000

    private func takePeriodic() {
        guard let place = configuration.location else { return }
        let done = Awaited<Void>()
        do throws(SnapshotFailure) {
            _ = try begin(at: place, logs: nil, isPeriodic: true) { [self] job in
                if let failure = job.progress.failure {
                    if !job.isCancelled {
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
            let store = try open(place, nil)
            let periodic = try store.names().filter(\.isPeriodic)
            for name in periodic.dropLast(max(1, configuration.keep)) { try store.delete(name) }
            let limit = engine.clock.now() - Self.abandonedMilliseconds
            let count = try store.removeLeftovers(begunBefore: limit)
            if count > 0 { report("\(count) objects of snapshots that were never completed were removed") }
        } catch {
            report("old snapshots were not removed, that is tried again after the next one: \(error)")
        }
    }

    // MARK: Looking

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
            let store = try open(place, nil)
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
        let (name, store) = try find(text, at: location, nil)
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
        if let job = jobs.job(.snapshot, named: text), job.isRunning {
            job.cancel()
            return
        }
        let (name, store) = try find(text, at: location, nil)
        try occupy(store.location)
        defer { free(store.location) }
        try store.delete(name)
        state.withLock { $0.seen["\(store.location)/\(name.text)"] = nil }
        jobs.forget(.snapshot, named: text)
    }

    // MARK: Loading

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
    /// - Parameter source: the name of a snapshot, or a location, of which the newest is taken; nil: the configured one.
    package func replay(
        from source: String?, _ timestamps: Range<Int64>, _ options: LoadOptions
    ) throws(SnapshotFailure) -> Job {
        let isName = source.map { SnapshotName($0) != nil } ?? false
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
        let (name, store) = try find(text, at: location, nil)
        let job = Job(
            kind, name: Self.identifier(), location: store.location, startedAt: engine.clock.now())
        try jobs.run(job, engine.clock) { job throws(SnapshotFailure) in
            let objects = store.objects.cancelled { job.isCancelled }
            try body(name, SnapshotStore(objects: objects), job)
        } ended: { [metrics] in
            metrics.note($0)
        }
        return job
    }

    // MARK: Exporting

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

    /// Before anybody is answered: the newest snapshot becomes the state.
    /// - Returns: nil when there is none.
    package func restoreAtStart(from place: ObjectLocation) throws(SnapshotFailure) -> Job? {
        let job = Job(
            .restore, name: Self.identifier(), location: place.description, startedAt: engine.clock.now())
        let store = try open(place, job)
        guard let name = try store.names().last else { return nil }
        first.withLock { $0 = job }
        var failure: SnapshotFailure?
        do throws(SnapshotFailure) {
            try Restore(engine: engine, store: store, name: name, options: LoadOptions(), job: job).run()
        } catch {
            failure = error
        }
        job.finish(at: engine.clock.now(), failure)
        metrics.note(job)
        if let failure { throw failure }
        return job
    }

    package func all(_ kind: Job.Kind) -> [Job] { jobs.all(kind) }
    package func job(_ kind: Job.Kind, named name: String) -> Job? { jobs.job(kind, named: name) }
    /// The job that has held memory longest ends. - Returns: false when there is none.
    package func endOldest() -> Bool { jobs.cancelOldest(.snapshot) }

    // MARK: Places

    /// - Throws: `invalid` for what no location is, and for what is not allowed.
    func place(_ text: String?) throws(SnapshotFailure) -> ObjectLocation {
        guard let text else {
            guard let location = configuration.location else {
                throw .invalid(
                    field: "location",
                    reason:
                        "is missing, and the server has no snapshots.location: name a directory or s3://bucket/prefix"
                )
            }
            return location
        }
        let place: ObjectLocation
        do throws(ObjectStoreFailure) { place = try ObjectLocation(text) } catch {
            throw .invalid(field: "location", reason: "\"\(text)\": \(error.detail)")
        }
        if place == configuration.location { return place }
        let allowed = configuration.allowedLocations
        guard allowed.isEmpty || allowed.contains(where: { place.isWithin($0) }) else {
            throw .invalid(
                field: "location", reason: "\(place) is not under one of the server's allowed_locations")
        }
        if let own = configuration.dataDirectory, place.isWithin(own) || own.isWithin(place) {
            throw .invalid(field: "location", reason: "\(place) is where the server keeps its own files")
        }
        return place
    }

    private func open(_ place: ObjectLocation, _ job: Job?) throws(SnapshotFailure) -> SnapshotStore {
        do throws(ObjectStoreFailure) {
            return SnapshotStore(
                objects: try stores.open(place, isCancelled: { job?.isCancelled ?? false }))
        } catch {
            throw .store(error)
        }
    }

    /// - Parameter text: nil: the newest.
    private func find(
        _ text: String?, at location: String?, _ job: Job?
    ) throws(SnapshotFailure) -> (SnapshotName, SnapshotStore) {
        var location = location
        if location == nil, let text { location = jobs.job(.snapshot, named: text)?.location }
        if location == nil, configuration.location == nil, let text {
            throw .snapshotNotFound(name: text, location: "a location that the server knows")
        }
        let store = try open(try place(location), job)
        guard let text else {
            guard let newest = try store.names().last else {
                throw .snapshotNotFound(name: "at all", location: store.location)
            }
            return (newest, store)
        }
        guard let name = SnapshotName(text) else {
            throw .snapshotNotFound(name: text, location: store.location)
        }
        guard try store.names().contains(name) else {
            throw .snapshotNotFound(name: text, location: store.location)
        }
        return (name, store)
    }

    /// One writer at a place: what one removes another might just refer to.
    private func occupy(_ location: String) throws(SnapshotFailure) {
        guard state.withLock({ $0.busy.insert(location).inserted }) else {
            throw .busy(reason: "a snapshot is being taken or removed at \(location)")
        }
    }

    private func free(_ location: String) { _ = state.withLock { $0.busy.remove(location) } }
}
