import ArgumentParser
import Glibc
import HTTPClient
import JSON

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make the logs of a dump, all together, with the places and times that their records had.",
        discussion: """
            A log that is there already is a reason to refuse, unless --replace or --append says what becomes of it. A \
            file whose name ends in .json is one JSON document, any other has an object a line.
            """)

    enum Mode: String, ExpressibleByArgument, CaseIterable { case memory, persistent, hybrid }

    @Argument(help: "A file, or - for standard input.") var file = "-"
    @Option(help: "Some of its logs, separated by commas; all of them if not given.") var logs: String?
    @Flag(help: "Put the dump's logs in the place of those that have their names.") var replace = false
    @Flag(help: "Add the records to logs that are there, with new offsets.") var append = false
    @Option(help: "Make all logs memory, persistent or hybrid, whatever they were.") var mode: Mode?
    @OptionGroup var options: ClientOptions

    func validate() throws {
        if replace, append { throw ValidationError("--replace and --append cannot be combined") }
    }

    func run() throws {
        try options.run { server in
            let input = try InputFile(file)
            var progress = Progress()
            defer { progress.end() }
            var request = self.request(server, input)
            request.sent = { progress.add(records: $0.newlineCount, bytes: $0.count) }
            let answer = try server.fetchJSON(request)
            progress.end()
            let records = answer["records"]?.integerValue ?? 0
            let logs = answer["logs"]?.arrayValue?.count ?? 0
            StandardStreams.print(
                "\(records) record\(records == 1 ? "" : "s") of \(logs) log\(logs == 1 ? "" : "s") loaded")
        }
    }

    private func request(_ server: ServerConnection, _ input: InputFile) -> ClientRequest {
        var request = server.request(
            "POST", ["v1", "dump"],
            query: [
                ("logs", logs), ("replace", replace ? "true" : nil), ("append", append ? "true" : nil),
                ("mode", mode?.rawValue),
            ],
            fields: [
                ("Content-Type", file.hasSuffix(".json") ? "application/json" : "application/x-ndjson")
            ])
        request.body = .file(descriptor: input.descriptor, length: input.length)
        // What takes long at the end is writing it to disk.
        request.limits.silenceSeconds = nil
        return request
    }
}
