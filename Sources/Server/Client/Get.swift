import ArgumentParser
import Glibc
import HTTPClient

struct Get: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write the value of a key to standard output, byte for byte.")

    @OptionGroup var key: KeyArguments
    @OptionGroup var options: ClientOptions

    func run() throws {
        try options.run { server in
            var refusal: [UInt8] = []
            let response = try server.http.send(server.request("GET", key.path)) { response, bytes in
                if response.status == 200 { return StandardStreams.write(bytes, to: STDOUT_FILENO) }
                refusal.append(contentsOf: bytes)
                return true
            }
            guard response.status == 200 else { throw ServerProblem(status: response.status, body: refusal) }
        }
    }
}
