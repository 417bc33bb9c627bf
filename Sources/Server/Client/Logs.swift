import ArgumentParser
import JSON

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the logs, one name a line.")

    @Option(help: "Only those whose names begin with this.") var prefix: String?
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var last: String?
            repeat {
                let page = try server.fetchJSON(
                    server.request(
                        "GET", ["v1", "logs"],
                        query: [("prefix", prefix), ("start_after", last), ("limit", "1000")]))
                let names = page["logs"]?.arrayValue?.compactMap { $0["name"]?.stringValue } ?? []
                for name in names { StandardStreams.print(name) }
                last = page["has_more"] == .bool(true) ? names.last : nil
            } while last != nil
        }
    }
}
