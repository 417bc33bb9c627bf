import Foundation
import Glibc
import Testing

@Suite("The client's commands against a real server", .serialized)
struct ClientCommandTests {
    private func withServer(
        _ body: (TestServer, ([String], String?) throws -> Executable.Ended) throws -> Void
    ) throws {
        let server = try TestServer()
        try body(server) { arguments, input in
            try Executable.run(
                arguments, environment: ["PYRALOG_URL": server.url], input: input.map { Data($0.utf8) })
        }
        try server.stop()
    }

    @Test("a value comes back byte for byte, from an argument, a file and standard input")
    func values() throws {
        let bytes = Data((0...255).map { UInt8($0) })
        let file = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        try bytes.write(to: file)
        try withServer { server, run in
            let put = try run(["put", "notes", "a/b c", "hello"], nil)
            #expect(put.code == 0)
            #expect(put.output.hasPrefix("0-0-"), "\(put.errors)")
            #expect(try run(["get", "notes", "a/b c"], nil).output == "hello")

            #expect(try run(["put", "notes", "in"], "from standard input\n").code == 0)
            #expect(try run(["get", "notes", "in"], nil).output == "from standard input\n")

            #expect(try run(["put", "notes", "file", "@\(file.path)"], nil).code == 0)
            let copy = file.path + ".copy"
            let shell = Process()
            shell.executableURL = URL(filePath: "/bin/sh")
            shell.arguments = [
                "-c", "exec \"$0\" get notes file --url \(server.url) > \(copy)", Executable.path,
            ]
            try shell.run()
            shell.waitUntilExit()
            #expect(try Data(contentsOf: URL(filePath: copy)) == bytes)
            try FileManager.default.removeItem(atPath: copy)
        }
    }

    @Test("a refusal is title and detail on standard error, and exit code 1")
    func refusals() throws {
        try withServer { _, run in
            #expect(try run(["put", "notes", "k", "v"], nil).code == 0)
            let missing = try run(["get", "notes", "missing"], nil)
            #expect(missing.code == 1)
            #expect(missing.output.isEmpty)
            #expect(
                missing.errors.hasPrefix("pyralog: ") && missing.errors.contains(": "), "\(missing.errors)")
            #expect(try run(["delete", "notes", "k"], nil).code == 0)
            #expect(try run(["delete", "notes", "k"], nil).code == 1)
            let badLine = try run(["append", "events"], "{\"a\":1}\n{\"a\":\n")
            #expect(badLine.code == 1)
            #expect(badLine.errors.contains("2"), "\(badLine.errors)")
        }
    }

    @Test("a server that is not there is named by libcurl, and exit code 1")
    func noServer() throws {
        let ended = try Executable.run(["logs", "--url", "http://127.0.0.1:1"])
        #expect(ended.code == 1)
        #expect(ended.errors.contains("127.0.0.1 port 1"), "\(ended.errors)")
    }

    @Test("lines are appended, keyed, listed and tailed")
    func appending() throws {
        try withServer { server, run in
            let lines = (0..<1000).map { "{\"id\":\"k\($0)\",\"n\":\($0)}\n" }.joined()
            let appended = try run(["append", "events", "--key-field", "id"], lines)
            #expect(appended.output == "1000 records appended to events\n", "\(appended.errors)")
            #expect(try run(["get", "events", "k7"], nil).output == "{\"id\":\"k7\",\"n\":7}")
            #expect(try run(["put", "other", "k", "v"], nil).code == 0)
            #expect(try run(["logs"], nil).output == "events\nother\n")
            #expect(try run(["logs", "--prefix", "o"], nil).output == "other\n")
            let last = try run(["tail", "events", "--last", "2", "--no-follow"], nil).output.split(
                separator: "\n")
            #expect(last.count == 2)
            #expect(last.last?.contains("\"offset\":999") == true)
        }
    }

    @Test("a tail prints what is there, then what comes")
    func tail() throws {
        try withServer { server, run in
            #expect(try run(["append", "events"], "{\"n\":1}\n{\"n\":2}\n").code == 0)
            let tail = try Executable.start(
                ["tail", "events", "-l", "1"], environment: ["PYRALOG_URL": server.url])
            #expect(try tail.line()?.contains("{\"n\":2}") == true)
            #expect(try run(["append", "events"], "{\"n\":3}\n").code == 0)
            #expect(try tail.line()?.contains("{\"n\":3}") == true)
            tail.send(SIGTERM)
            #expect(try tail.end().code == -SIGTERM)
        }
    }
}
