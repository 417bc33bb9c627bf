import ArgumentParser
import Glibc
import HTTPClient
import JSON
import Platform

struct Append: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Append a file of JSON texts, one a line, to a log.",
        discussion: """
            Lines are sent in blocks of some megabytes; a block is applied as a whole or not at all. A pipe may stay \
            open: what it writes is appended when it pauses.
            """)

    @Argument(help: "The log; it is created when it does not exist.") var log: String
    @Argument(help: "A file, or - for standard input.") var file = "-"
    @Option(help: "The field of each record that is its key.") var keyField: String?
    @Option(help: "The key of all records.") var key: String?
    @Option(help: "Time to live, as 10s or 7d.") var ttl: Duration?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var progress = Progress()
            defer { progress.end() }
            var blocks = LineBlocks(try InputFile(file))
            var lines = 0
            while let block = try blocks.next() {
                progress.add(records: try send(block, after: lines, server), bytes: block.count)
                lines += block.count { $0 == 0x0A }
            }
            progress.end()
            StandardStreams.print("\(progress.records) records appended to \(log)")
        }
    }

    /// - Parameter lines: how many lines of the input came before this block.
    /// - Returns: the number of records.
    private func send(_ block: [UInt8], after lines: Int, _ server: ServerConnection) throws -> Int {
        var request = server.request(
            "POST", ["v1", "logs", log, "records"],
            query: [("key_field", keyField), ("key", key), ("ttl_ms", ttl.map { String($0.milliseconds) })],
            fields: [("Content-Type", "application/x-ndjson")])
        request.body = .bytes(block)
        for attempt in 1... {
            do {
                return Int(try server.fetchJSON(request)["count"]?.integerValue ?? 0)
            } catch let problem as ServerProblem where problem.mayBeRepeated && attempt < 10 {
                sleep(1)
            } catch let problem as ServerProblem {
                throw LineProblem(problem, after: lines)
            }
        }
        return 0
    }

    /// A problem whose line number counts from the start of the input, not of the block.
    private struct LineProblem: Error, CustomStringConvertible {
        let description: String

        init(_ problem: ServerProblem, after lines: Int) {
            var text = problem.description
            if lines > 0 {
                if let line = problem.document["line"]?.integerValue {
                    text += " (line \(Int(line) + lines) of the input)"
                }
                text += "; the \(lines) lines before its block are appended"
            }
            description = text
        }
    }
}
