import Glibc
import HTTPClient
import Testing

/// A server of this executable on a free port.
struct TestServer {
    let executable: Executable
    let readyLine: String
    var url: String { String(readyLine.dropFirst("pyralog ready on ".count)) }
    var port: String { url.split(separator: ":").last.map(String.init) ?? "" }

    init(_ arguments: [String] = [], environment: [String: String] = [:]) throws {
        executable = try Executable.start(["serve", "--port", "0"] + arguments, environment: environment)
        readyLine = try #require(try executable.line(), "it ended instead")
    }

    func get(_ path: String) throws -> (status: Int, body: String) {
        let (response, body) = try ClientConnection().send(ClientRequest("GET", url + path))
        return (response.status, String(decoding: body, as: UTF8.self))
    }

    /// Ends it as an administrator would, and expects nothing more on standard output.
    func stop(_ signal: Int32 = SIGTERM) throws {
        executable.send(signal)
        let ended = try executable.end()
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(ended.output.isEmpty)
    }
}
