import ArgumentParser
import Glibc
import HTTPClient

/// Where the server is, for every command that asks one.
struct ClientOptions: ParsableArguments {
    @Option(help: "Address of the server; or PYRALOG_URL. A token comes from PYRALOG_TOKEN only.")
    var url: String?

    /// Runs a command, telling the user on standard error what failed; the exit code is 1 then.
    func run(_ body: (inout ServerConnection) throws -> Void) throws {
        do {
            let base = url ?? environment("PYRALOG_URL") ?? "http://127.0.0.1:7070"
            var server = ServerConnection(
                base: base, token: environment("PYRALOG_TOKEN"), http: try ClientConnection())
            try body(&server)
        } catch let exit as ExitCode {
            throw exit
        } catch {
            StandardStreams.complain("pyralog: \(error)")
            throw ExitCode(1)
        }
    }

    private func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
