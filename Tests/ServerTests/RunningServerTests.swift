import Foundation
import Glibc
import HTTPClient
import Testing

@Suite("A server from its start to its end", .serialized)
struct RunningServerTests {
    @Test("one line on standard output says where, and it can be used then", arguments: [SIGTERM, SIGINT])
    func life(signal: Int32) throws {
        let server = try TestServer()
        #expect(server.readyLine.wholeMatch(of: #/pyralog ready on http://127\.0\.0\.1:[1-9]\d*/#) != nil)
        #expect(try server.get("/readyz").status == 200)
        try server.stop(signal)
        for line in try server.executable.errorText().split(separator: "\n") {
            #expect(line.hasPrefix("{") && line.hasSuffix("}"), "\(line)")
        }
    }

    @Test("a second signal ends it at once")
    func secondSignal() throws {
        let server = try TestServer()
        // A body that stays unfinished holds the first one up.
        let upload = try HalfSentRequest(port: server.port)
        server.executable.send(SIGTERM)
        try server.executable.waitForError("stopping")
        server.executable.send(SIGTERM)
        let ended = try server.executable.end()
        #expect(ended.code == 128 + SIGTERM)
        upload.close()
    }

    @Test("SIGHUP takes the log level from the file again, and a broken file changes nothing")
    func reload() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("log: {level: error}\n".utf8).write(to: file)
        let server = try TestServer(["--config", file.path])
        #expect(try server.executable.errorText().isEmpty)
        try Data("log: {level: debug}\n".utf8).write(to: file)
        server.executable.send(SIGHUP)
        try server.executable.waitForError("configuration read again")
        try Data("log: {level: loud}\n".utf8).write(to: file)
        server.executable.send(SIGHUP)
        try server.executable.waitForError("log.level in the configuration file is")
        #expect(try server.get("/livez").status == 200)
        try server.stop()
    }

    @Test("the configuration in force can be asked for, each value with its source")
    func configuration() throws {
        let server = try TestServer(["--limits-body", "1MB"], environment: ["PYRALOG_LIMITS_VALUE": "2MB"])
        let text = try server.get("/v1/config").body
        for expected in [
            "limits.body", "1000000", "flag", "limits.value", "2000000", "environment", "default",
        ] {
            #expect(text.contains(expected), "\(expected) in \(text)")
        }
        try server.stop()
    }

    @Test("what is configured for logs that do not say holds for those that a write creates, too")
    func logDefaults() throws {
        let server = try TestServer(["--watermark", "0.5"])
        var write = ClientRequest("PUT", server.url + "/v1/logs/written/keys/k")
        write.body = .bytes(Array("1".utf8))
        #expect(try ClientConnection().send(write).0.status == 201)
        #expect(
            try ClientConnection().send(ClientRequest("PUT", server.url + "/v1/logs/configured")).0.status
                == 201)
        for name in ["written", "configured"] {
            #expect(try server.get("/v1/logs/\(name)").body.contains("\"watermark\":0.5"), "\(name)")
        }
        try server.stop()
    }

    @Test("the build and the process are among the metrics")
    func metrics() throws {
        let server = try TestServer()
        let text = try server.get("/metrics").body
        for name in [
            "pyralog_build_info{swift=\"", "process_resident_memory_bytes ", "process_cpu_seconds_total ",
            "process_open_fds ", "process_max_fds ", "process_start_time_seconds ",
        ] {
            #expect(text.contains("\n\(name)"), "\(name)")
        }
        try server.stop()
    }

    @Test("logs of the file of --init are there before the first request")
    func initialLogs() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("logs:\n  sessions: {compaction: keys, ttl_ms: 30m}\n  plain:\n".utf8).write(to: file)
        let server = try TestServer(["--init", file.path])
        #expect(try server.get("/v1/logs/sessions").body.contains("\"ttl_ms\":1800000"))
        #expect(try server.get("/v1/logs/plain").status == 200)
        try server.stop()
    }

    @Test("a port that is taken is exit code 69, and the port is named")
    func portTaken() throws {
        let server = try TestServer()
        let ended = try Executable.run(["serve", "--port", server.port])
        #expect(ended.code == 69)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(server.port))
        try server.stop()
    }

    @Test(
        "a mistake is exit code 64, named on standard error, and nothing on standard output",
        arguments: [
            (["serve", "--nonsense"], "--nonsense"), (["fly"], "fly"),
            (["serve", "--port", "70000"], "--port"),
            (["serve", "--memory-only", "--data-dir", "x"], "--data-dir exclude"),
            (["serve", "--mode", "persistent"], "--data-dir"),
            (["serve", "--tls-key=x"], "--tls-key: not implemented yet"),
            (["serve", "--host", "0.0.0.0"], "--insecure"),
            (["serve", "--config", "/nonexistent"], "/nonexistent"),
            (["serve", "--init", "/nonexistent"], "/nonexistent"), (["append"], "log"),
            (["put", "a", "k", "v", "--ttl", "soon"], "soon"), (["tail", "a", "--last", "-1"], "last"),
        ])
    func usage(arguments: [String], named: String) throws {
        let ended = try Executable.run(arguments)
        #expect(ended.code == 64)
        #expect(ended.output.isEmpty)
        #expect(ended.errors.contains(named), "\(ended.errors)")
    }

    @Test("a mistake in the file of --init names the log and the field")
    func badInitialLogs() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("logs:\n  sessions: {partitionz: 3}\n".utf8).write(to: file)
        let ended = try Executable.run(["serve", "--port", "0", "--init", file.path])
        #expect(ended.code == 64)
        #expect(ended.errors.contains("sessions") && ended.errors.contains("partitionz"), "\(ended.errors)")
    }
}
