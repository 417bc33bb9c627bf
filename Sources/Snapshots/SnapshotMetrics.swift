import Metrics
import Platform

/// What the jobs have done since the start.
final class SnapshotMetrics: Sendable {
    private static let kinds: [Job.Kind] = [.snapshot, .restore, .replay, .export]

    private let registry: MetricsRegistry
    private let sentBytes: Counter
    /// The last snapshot that was completed.
    private let last = Lock<Job?>(nil)

    init(_ registry: MetricsRegistry, _ jobs: Jobs) {
        self.registry = registry
        sentBytes = registry.counter(
            "pyralog_snapshot_sent_bytes_total",
            help: "Bytes that snapshots have stored; what was there already is not sent again.")
        for kind in Self.kinds { for phase in [Job.Phase.complete, .failed] { _ = counter(kind, phase) } }
        registry.collect(
            "pyralog_jobs_running", help: "Snapshots, restores, replays and exports that run now.",
            kind: .gauge
        ) { [weak jobs] in
            Self.kinds.map { kind in
                .init([.init("kind", kind.rawValue)], Double(jobs?.all(kind).count(where: \.isRunning) ?? 0))
            }
        }
        collect(
            "pyralog_snapshot_last_success_timestamp_seconds",
            help: "When the last snapshot was completed, in Unix time; 0: none since the start."
        ) { _, finished in Double(finished) / 1000 }
        collect(
            "pyralog_snapshot_last_duration_seconds", help: "How long the last complete snapshot took."
        ) { job, finished in Double(max(0, finished - job.startedAt)) / 1000 }
        collect(
            "pyralog_snapshot_last_bytes", help: "Bytes of the batches in the last complete snapshot."
        ) { job, _ in Double(job.progress.bytesTotal) }
    }

    private func collect(
        _ name: String, help: String, _ value: @escaping @Sendable (_ job: Job, _ finished: Int64) -> Double
    ) {
        registry.collect(name, help: help, kind: .gauge) { [weak self] in
            guard let job = self?.last.withLock({ $0 }), let finished = job.progress.finishedAt else {
                return [.init([], 0)]
            }
            return [.init([], value(job, finished))]
        }
    }

    private func counter(_ kind: Job.Kind, _ phase: Job.Phase) -> Counter {
        registry.counter(
            "pyralog_jobs_total",
            help: "Snapshots, restores, replays and exports that have ended, by result.",
            labels: [.init("kind", kind.rawValue), .init("result", phase.rawValue)])
    }

    func note(_ job: Job) {
        let progress = job.progress
        counter(job.kind, progress.phase).add()
        guard job.kind == .snapshot else { return }
        sentBytes.add(UInt64(max(0, progress.sentBytes)))
        if progress.phase == .complete { last.withLock { $0 = job } }
    }
}
