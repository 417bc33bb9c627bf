import ArgumentParser
import Glibc
import HTTPClient
import JSON

struct Tail: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the last records of a log and those that come, one JSON object a line.",
        discussion: "A connection that is lost is made again where it was.")

    @Argument(help: "The log.") var log: String
    @Option(name: .shortAndLong, help: "How many of the records that are there already.") var last = 10
    @Option(help: "One partition; all of them if not given.") var partition: Int?
    @Flag(help: "End after the records that are there.") var noFollow = false
    @OptionGroup var options: ClientOptions

    func validate() throws {
        guard last >= 0 else { throw ValidationError("--last must not be negative") }
    }

    func run() throws {
        try options.run { server in
            if noFollow { try read(server) } else { try follow(server) }
        }
    }

    private func read(_ server: ServerConnection) throws {
        var refusal: [UInt8] = []
        let request = server.request(
            "GET", ["v1", "logs", log, "records"],
            query: [("last", String(last)), ("limit", "10000"), ("partition", partition.map(String.init))],
            fields: [("Accept", "application/x-ndjson")])
        let response = try server.http.send(request) { response, bytes in
            if response.status == 200 { return StandardStreams.write(bytes, to: STDOUT_FILENO) }
            refusal.append(contentsOf: bytes)
            return true
        }
        guard response.status == 200 else { throw ServerProblem(status: response.status, body: refusal) }
    }

    private func follow(_ server: ServerConnection) throws {
        var session = TailSession(log: log, last: last, partition: partition)
        var wasConnected = false
        while true {
            do {
                try session.run(server)
                return
            } catch let failure as HTTPClientFailure where wasConnected || session.isConnected {
                wasConnected = true
                StandardStreams.complain("pyralog: \(failure); connecting again")
                sleep(1)
            }
        }
    }
}
