import ArgumentParser
import Glibc
import HTTPClient
import Platform

struct Dump: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the state of all logs at one instant to a file, as JSON, one object a line.",
        discussion:
            "The file has its name only once it is complete and on disk. `pyralog load` takes it back.")

    @Argument(help: "A file, or - for standard output.") var file = "-"
    @Option(help: "Some logs, separated by commas; all of them if not given.") var logs: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            let output = try OutputFile(file)
            var copy = DumpCopy(to: output)
            defer { copy.progress.end() }
            let request = server.request(
                "GET", ["v1", "dump"], query: [("logs", logs)], fields: [("Accept", "application/x-ndjson")])
            let response: ClientResponse
            do {
                response = try server.http.send(request) { copy.take($0.status, $1) }
            } catch {
                throw copy.hasBegun ? HTTPClientFailure("the dump ended early: \(error)") : error
            }
            // Whoever read it has gone, or the disk is full.
            if copy.isAbandoned { return try output.finish() }
            let (logs, records) = try copy.end(response.status)
            try output.finish(isDurable: true)
            copy.progress.end()
            if file != "-" {
                StandardStreams.print(
                    "\(records) record\(records == 1 ? "" : "s") of \(logs) log\(logs == 1 ? "" : "s") dumped to \(file)"
                )
            }
        }
    }
}
