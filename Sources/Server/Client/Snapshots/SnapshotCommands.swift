import ArgumentParser
import JSON

struct TakeSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Take a snapshot of the server's logs, and wait until it is complete.",
        discussion: """
            One point in time over all logs. Ending this command does not end the snapshot; DELETE /v1/snapshots/NAME does.
            """)

    @Argument(
        help:
            "A directory of the server's machine, or s3://bucket/prefix; the server's snapshots.location if not given."
    )
    var location: String?
    @Option(help: "Only these logs, separated by commas.") var logs: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var members: [JSONValue.Member] = []
            if let location { members.append(.init("location", .string(location))) }
            if let logs { members.append(.init("logs", LoadArguments.names(logs))) }
            let snapshot = try JobWatch(server).run(["v1", "snapshots"], members)
            StandardStreams.print(SnapshotLine.text(snapshot))
        }
    }
}

struct ListSnapshots: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshots", abstract: "List the snapshots, oldest first, one a line.")

    @Argument(
        help: "Where they are; where the server has taken some, and its snapshots.location, if not given.")
    var location: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            let list = try server.fetchJSON(
                server.request("GET", ["v1", "snapshots"], query: [("location", location)]))
            for snapshot in list["snapshots"]?.arrayValue ?? [] {
                StandardStreams.print(SnapshotLine.text(snapshot))
            }
        }
    }
}

struct RestoreSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Make the logs of a snapshot on the server; they appear all at once.")

    @Argument(help: "Where the snapshot is; the server's snapshots.location if not given.")
    var location: String?
    @Option(help: "Its name; the newest if not given.") var snapshot: String?
    @Option(help: "memory, persistent or hybrid; as they were if not given.") var mode: String?
    @OptionGroup var arguments: LoadArguments
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var members = try arguments.members()
            if let location { members.append(.init("location", .string(location))) }
            if let snapshot { members.append(.init("snapshot", .string(snapshot))) }
            if let mode { members.append(.init("mode", .string(mode))) }
            let job = try JobWatch(server).run(["v1", "restores"], members)
            StandardStreams.print(SnapshotLine.loaded(job))
        }
    }
}

struct ReplayRecords: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Load the records of a range of time from a snapshot or an archive into logs in memory.")

    @Argument(help: "Where they are: a directory, s3://bucket/prefix, or the name of a snapshot.")
    var source: String
    @Option(help: "Earliest timestamp: Unix milliseconds, or as 2026-11-22T23:00:00Z.") var from: String?
    @Option(help: "Timestamp before which all are.") var to: String?
    @OptionGroup var arguments: LoadArguments
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var members = try arguments.members()
            members.append(.init("source", .string(source)))
            if let from { members.append(.init("from", Self.time(from))) }
            if let to { members.append(.init("to", Self.time(to))) }
            let job = try JobWatch(server).run(["v1", "replays"], members)
            StandardStreams.print(SnapshotLine.loaded(job))
        }
    }

    private static func time(_ text: String) -> JSONValue {
        Int64(text).map { .integer($0) } ?? .string(text)
    }
}

/// What is printed of a snapshot, a restore or a replay.
enum SnapshotLine {
    static func text(_ snapshot: JSONValue) -> String {
        let name = snapshot["name"]?.stringValue ?? ""
        let state = snapshot["state"]?.stringValue ?? ""
        let error = snapshot["error"]?["detail"]?.stringValue.map { ": \($0)" } ?? ""
        return "\(name) \(state) \(counts(snapshot)) \(snapshot["location"]?.stringValue ?? "")\(error)"
    }

    static func loaded(_ job: JSONValue) -> String {
        let logs = job["logs"]?.arrayValue?.compactMap(\.stringValue) ?? []
        return "\(counts(job)) from \(job["snapshot"]?.stringValue ?? ""): \(logs.joined(separator: " "))"
    }

    private static func counts(_ job: JSONValue) -> String {
        let records = job["records"]?.integerValue ?? 0
        let bytes = job["bytes"]?.integerValue ?? 0
        return "\(records) records \(bytes) bytes"
    }
}
