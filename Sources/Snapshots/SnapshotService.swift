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
    struct State {
        /// Where something is being written or removed.
        var busy: Set<String> = []
        /// What lies at a location already.
        var known: [String: KnownPieces] = [:]
        /// Of complete snapshots, which never change, by their place.
        var seen: [String: Job.Progress] = [:]
    }
    let state = Lock(State())
    let schedule = Schedule()
    private let isServing = AtomicFlag()
    let first = Lock<Job?>(nil)
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
        isServing.value = true
        schedule.start(everyMilliseconds: interval) { [weak self] in self?.takePeriodic() }
    }

    /// For the last snapshot of a server that takes them by itself.
    private static let lastMilliseconds = 10_000

    /// Nothing is written any more: where snapshots are taken by themselves one more is, so that nothing is missing after an
    /// orderly stop, if it does not take too long. Then everything ends; what is not complete by then is not.
    package func stop() {
        // What a server has that could not even start is not the state.
        if isServing.value, let place = configuration.location { takeLast(at: place) }
        jobs.stop()
        schedule.stop()
    }

    private func takeLast(at place: ObjectLocation) {
        let end = Clock.monotonicNanoseconds() + Int64(Self.lastMilliseconds) * 1_000_000
        func isInTime() -> Bool { Clock.monotonicNanoseconds() < end }
        while isInTime() {
            do throws(SnapshotFailure) {
                let job = try begin(at: place, logs: nil, .periodic) { _ in }
                while job.isRunning, isInTime() { WakeUp.pause(milliseconds: 10) }
                if job.progress.phase == .complete { return }
                report(
                    "the last snapshot is missing: \(job.progress.failure.map { "\($0)" } ?? "it took too long")"
                )
                return
            } catch {
                // The one before it may be about to end.
                guard case .busy = error else {
                    report("the last snapshot is missing: \(error)")
                    return
                }
                WakeUp.pause(milliseconds: 50)
            }
        }
        report("the last snapshot is missing: another one took too long")
    }

    package func all(_ kind: Job.Kind) -> [Job] { jobs.all(kind) }
    package func job(_ kind: Job.Kind, named name: String) -> Job? { jobs.job(kind, named: name) }
    /// Whether one is being taken, which holds batches that logs let go of meanwhile.
    package var isTaking: Bool { jobs.all(.snapshot).contains(where: \.isRunning) }
    /// The one that was begun first ends. - Returns: false when there is none.
    package func endOldest() -> Bool {
        jobs.cancelOldest(.snapshot, "the server is short of memory that it held")
    }

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
        return try configuration.place(text)
    }

    /// How long somebody waits for the answer of a request, and for that of one that has much to do.
    static let answerMilliseconds: Int64 = 20_000
    static let deleteMilliseconds: Int64 = 120_000

    func open(
        _ place: ObjectLocation, _ patienceMilliseconds: Int64
    ) throws(SnapshotFailure) -> SnapshotStore {
        let end = Clock.monotonicNanoseconds() + patienceMilliseconds * 1_000_000
        return try open(place) { [jobs] in Clock.monotonicNanoseconds() > end || jobs.isStopping }
    }

    func open(_ place: ObjectLocation, _ job: Job) throws(SnapshotFailure) -> SnapshotStore {
        try open(place) { job.isCancelled }
    }

    func open(
        _ place: ObjectLocation, isCancelled: @escaping @Sendable () -> Bool
    ) throws(SnapshotFailure) -> SnapshotStore {
        do throws(ObjectStoreFailure) {
            return SnapshotStore(objects: try stores.open(place, isCancelled: isCancelled))
        } catch {
            throw .store(error)
        }
    }

    /// - Parameter text: nil: the newest.
    func find(
        _ text: String?, at location: String?,
        _ patienceMilliseconds: Int64 = SnapshotService.answerMilliseconds
    ) throws(SnapshotFailure) -> (SnapshotName, SnapshotStore) {
        var location = location
        if location == nil, let text { location = jobs.job(.snapshot, named: text)?.location }
        if location == nil, configuration.location == nil, let text {
            throw .snapshotNotFound(name: text, location: "a location that the server knows")
        }
        let store = try open(try place(location), patienceMilliseconds)
        guard let text else {
            guard let newest = try store.newest() else {
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
    func occupy(_ location: String) throws(SnapshotFailure) {
        guard state.withLock({ $0.busy.insert(Self.followed(location)).inserted }) else {
            throw .busy(reason: "a snapshot is being taken or removed at \(location)")
        }
    }

    func free(_ location: String) { _ = state.withLock { $0.busy.remove(Self.followed(location)) } }

    /// The same directory may be reached by several names.
    private static func followed(_ location: String) -> String {
        location.hasPrefix("/") ? SystemFiles.followed(location) : location
    }
}
