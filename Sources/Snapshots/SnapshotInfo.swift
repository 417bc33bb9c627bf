/// A snapshot as it is shown: one that is being taken, one that failed, or a complete one at a location.
package struct SnapshotInfo: Sendable {
    package let name: String
    package let location: String
    package let isPeriodic: Bool
    /// When it was begun, in Unix milliseconds.
    package let startedAt: Int64
    package let progress: Job.Progress

    package init(_ job: Job) {
        name = job.name
        location = job.location
        isPeriodic = SnapshotName(job.name)?.isPeriodic ?? false
        startedAt = job.startedAt
        progress = job.progress
    }

    init(_ name: SnapshotName, at location: String, _ progress: Job.Progress) {
        self.name = name.text
        self.location = location
        isPeriodic = name.isPeriodic
        startedAt = name.milliseconds ?? progress.time ?? 0
        self.progress = progress
    }
}
