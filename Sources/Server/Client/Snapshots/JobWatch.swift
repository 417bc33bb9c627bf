import ArgumentParser
import Glibc
import HTTPClient
import JSON
import Platform

/// Waits for a snapshot, a restore or a replay of the server, and shows on a terminal how far it is.
struct JobWatch {
    private static let pauseMilliseconds = 100
    private let server: ServerConnection
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(_ server: ServerConnection) { self.server = server }

    /// Begins the work.
    /// - Returns: how the finished job is shown. - Throws: `JobFailure` when it failed.
    func run(_ path: [String], _ body: [JSONValue.Member]) throws -> JSONValue {
        var request = server.request("POST", path, fields: [("Content-Type", "application/json")])
        request.body = .bytes(ControlJSON.serialize(.object(body)))
        let (response, content) = try server.fetch(request)
        var job = try content.withUnsafeBytes { bytes throws(JSONFailure) in try ControlJSON.parse(bytes) }
        guard let place = response.field("Location") else {
            throw JobFailure("the server does not say where it is")
        }
        let resource = place.split(separator: "/").map(String.init)
        while job["state"]?.stringValue == "running" {
            show(job)
            WakeUp.pause(milliseconds: Self.pauseMilliseconds)
            job = try server.fetchJSON(server.request("GET", resource))
        }
        if isTerminal { StandardStreams.write("\r\u{1B}[K", to: STDERR_FILENO) }
        guard job["state"]?.stringValue == "complete" else {
            throw JobFailure(
                job["error"]?["detail"]?.stringValue ?? "it failed, and the server does not say why")
        }
        return job
    }

    private func show(_ job: JSONValue) {
        guard isTerminal else { return }
        let done = job["bytes"]?.integerValue ?? 0
        let total = job["bytes_total"]?.integerValue ?? 0
        let share =
            total > 0 ? " of \(total / 1_000_000) MB, \(Int(Double(done) / Double(total) * 100)) %" : " MB"
        StandardStreams.write("\r\(done / 1_000_000)\(share)\u{1B}[K", to: STDERR_FILENO)
    }
}

struct JobFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What is loaded, and as what.
struct LoadArguments: ParsableArguments {
    @Option(help: "Only these logs, separated by commas.") var logs: String?
    @Option(help: "Another name for a log, as old=new; may be repeated.") var rename: [String] = []
    @Flag(help: "Logs that have such names go, at the moment at which all is there.") var replace = false

    /// Before anybody is asked anything: bad usage has an exit code of its own.
    func validate() throws { _ = try members() }

    func members() throws -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let logs { members.append(.init("logs", Self.names(logs))) }
        if !rename.isEmpty {
            members.append(
                .init(
                    "rename",
                    .object(
                        try rename.map { pair in
                            let names = pair.split(separator: "=", omittingEmptySubsequences: false)
                            guard names.count == 2 else {
                                throw ValidationError("--rename \(pair): expected old=new")
                            }
                            return .init(String(names[0]), .string(String(names[1])))
                        })))
        }
        if replace { members.append(.init("replace", .bool(true))) }
        return members
    }

    static func names(_ text: String) -> JSONValue {
        .array(text.split(separator: ",").map { .string(String($0)) })
    }
}
