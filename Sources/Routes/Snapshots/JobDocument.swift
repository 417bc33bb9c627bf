import HTTP
import JSON
import Snapshots

/// Snapshots, restores and replays as they are shown.
enum JobDocument {
    static func write(_ info: SnapshotInfo, to json: inout JSONWriter) {
        json.object { json in
            json.member("name", info.name)
            write(info.progress, startedAt: info.startedAt, to: &json)
            json.member("location", info.location)
            json.member("periodic", info.isPeriodic)
            json.member("sent_bytes", info.progress.sentBytes)
        }
    }

    static func write(_ job: Job, to json: inout JSONWriter) {
        json.object { json in
            json.member("name", job.name)
            let progress = job.progress
            write(progress, startedAt: job.startedAt, to: &json)
            json.member("location", job.location)
            json.member("snapshot", orNull: progress.snapshot)
        }
    }

    private static func write(
        _ progress: Job.Progress, startedAt: Int64, to json: inout JSONWriter
    ) {
        json.member("state", progress.phase.rawValue)
        json.member("time", orNull: progress.time)
        json.member("bytes", progress.bytes)
        json.member("bytes_total", progress.bytesTotal)
        json.member("records", progress.records)
        json.key("logs")
        json.array { json in for log in progress.logs { json.string(log) } }
        json.member("digest", orNull: progress.digest)
        json.member("started_at", startedAt)
        json.member("finished_at", orNull: progress.finishedAt)
        if let failure = progress.failure { json.member("error", Problem(failure).document) }
    }
}
