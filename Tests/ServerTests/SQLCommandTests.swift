import Foundation
import Glibc
import Testing

@testable import Server

@Suite("`pyralog sql` against a real server", .serialized)
struct SQLCommandTests {
    private typealias Run = ([String], String?) throws -> Executable.Ended

    private func withServer(
        _ settings: [String] = [], _ body: (TestServer, Run, URL) throws -> Void
    ) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let server = try TestServer(settings)
        let run: Run = { arguments, input in
            try Executable.run(
                arguments, environment: ["PYRALOG_URL": server.url], input: input.map { Data($0.utf8) })
        }
        let lines = (0..<1000).map { "{\"n\":\($0),\"even\":\($0 % 2 == 0)}\n" }.joined()
        #expect(try run(["append", "events"], lines).code == 0)
        try body(server, run, folder)
        try server.stop()
    }

    @Test("rows come in every form, as CSV into a pipe")
    func formats() throws {
        let query = "SELECT n, even FROM events ORDER BY n LIMIT 2"
        try withServer { _, run, folder in
            #expect(try run(["sql", query], nil).output == "n,even\n0,true\n1,false\n")
            #expect(
                try run(["sql", query, "--format", "ndjson"], nil).output
                    == "{\"n\":0,\"even\":true}\n{\"n\":1,\"even\":false}\n")
            let json = try run(["sql", query, "--format", "json"], nil).output
            #expect(json.contains("\"rows\":[[0,true],[1,false]],\"row_count\":2,"))
            let table = try run(["sql", query, "--format", "table"], nil).output
            #expect(table.hasPrefix("n | even\n--+------\n0 | true\n1 | false\n(2 rows, "), "\(table)")
            for (name, beginning) in [
                ("a.parquet", Data("PAR1".utf8)), ("a.arrow", Data([0xFF, 0xFF, 0xFF, 0xFF])),
                ("a.csv", Data("n,even\n0,true\n".utf8)), ("a.jsonl", Data("{\"n\":0,".utf8)),
            ] {
                let file = folder.appending(path: name)
                let ended = try run(["sql", query, "--output", file.path], nil)
                #expect(ended.code == 0 && ended.output.isEmpty, "\(ended.errors)")
                #expect(try Data(contentsOf: file).starts(with: beginning), "\(name)")
                #expect(!FileManager.default.fileExists(atPath: file.path + ".partial"))
            }
        }
    }

    @Test("the text comes from an argument, a file or standard input")
    func texts() throws {
        try withServer { _, run, folder in
            let file = folder.appending(path: "count.sql")
            try Data("SELECT count(*) AS c\nFROM events".utf8).write(to: file)
            #expect(try run(["sql", "SELECT count(*) AS c FROM events"], nil).output == "c\n1000\n")
            #expect(try run(["sql", "--file", file.path], nil).output == "c\n1000\n")
            #expect(try run(["sql", "-"], "SELECT count(*) AS c\nFROM events\n").output == "c\n1000\n")
            #expect(try run(["sql"], nil).code == 64)
            #expect(try run(["sql", "SELECT 1", "--file", file.path], nil).code == 64)
            let missing = try run(["sql", "--file", folder.path + "/none"], nil)
            #expect(missing.code == 1 && missing.errors.contains("No such file"), "\(missing.errors)")
        }
    }

    @Test("parameters are numbers, booleans, null or texts, by their place or by name")
    func parameters() throws {
        try withServer { _, run, _ in
            let positional = try run(
                ["sql", "SELECT $1 + 1 AS a, $2 AS b, $3 AS c, $4 IS NULL AS d, typeof($5) AS e"]
                    + ["7", "true", "O'Neill", "null", "\"7\""].flatMap { ["--param", $0] }, nil)
            #expect(positional.output == "a,b,c,d,e\n8,true,O'Neill,true,VARCHAR\n", "\(positional.errors)")
            let named = try run(
                ["sql", "SELECT count(*) AS c FROM events WHERE n < $most", "--named", "most=10"], nil)
            #expect(named.output == "c\n10\n", "\(named.errors)")
            #expect(try run(["sql", "SELECT $a", "--named", "a=x=y"], nil).output == "$a\nx=y\n")
            #expect(try run(["sql", "SELECT ?", "--param", "1", "--named", "a=1"], nil).code == 64)
            #expect(try run(["sql", "SELECT ?"], nil).code == 1)
        }
    }

    @Test("a mistake in the text is shown below it, and exit code 1")
    func position() throws {
        try withServer { _, run, _ in
            let line = try run(["sql", "SELECT foo FROM events"], nil)
            #expect(line.code == 1 && line.output.isEmpty)
            #expect(line.errors.hasPrefix("pyralog: The query is not valid: "), "\(line.errors)")
            #expect(line.errors.hasSuffix("\nSELECT foo FROM events\n       ^\n"), "\(line.errors)")
            let lines = try run(["sql", "-"], "SELECT 1,\n  'é', foo\nFROM events")
            #expect(lines.errors.hasSuffix("\nline 2:   'é', foo\n               ^\n"), "\(lines.errors)")
        }
    }

    @Test("the mark stands below the place whatever characters come before it")
    func wideCharacters() {
        let query = "SELECT '語🔥\té', foo"
        let position = Array(query.utf8).count - 3
        let problem = ServerProblem(
            status: 400,
            body: Array("{\"title\":\"t\",\"code\":\"query_error\",\"position\":\(position)}".utf8))
        let lines = SQLProblem(problem, in: query, columns: nil).description.split(separator: "\n")
        #expect(lines == ["t", "SELECT '語🔥 é', foo", "                 ^"])
        #expect(SQLProblem(problem, in: "short", columns: nil).description == "t")
    }

    @Test("a long line is cut around the mistake")
    func longLine() throws {
        let query = "SELECT " + (0..<200).map { "\($0) AS c\($0), " }.joined() + "foo FROM events"
        try withServer { _, run, _ in
            let errors = try run(["sql", query], nil).errors.split(separator: "\n")
            let caret = try #require(errors.last?.firstIndex(of: "^"))
            let text = try #require(errors.dropLast().last)
            #expect(text.count <= 160)
            let column = errors[errors.count - 1].distance(
                from: errors[errors.count - 1].startIndex, to: caret)
            #expect(text.dropFirst(column).hasPrefix("foo FROM events"), "\(text)")
        }
    }

    @Test("an answer that fails on its way is an error; what came before is kept out of files")
    func unfinished() throws {
        let query = "SELECT repeat('x', 1000) AS x FROM range(2000)"
        try withServer(["--sql-max-result-bytes", "1MB"]) { _, run, folder in
            for format in ["ndjson", "csv", "json"] {
                let ended = try run(["sql", query, "--format", format], nil)
                #expect(ended.code == 1)
                #expect(ended.errors.contains("sql.max_result_bytes"), "\(ended.errors)")
                #expect(ended.output.utf8.count > 500_000 && !ended.output.contains("error"))
            }
            let table = try run(["sql", query, "--format", "table"], nil)
            #expect(table.code == 1 && table.output.isEmpty)
            #expect(table.errors.contains("sql.max_result_bytes"), "\(table.errors)")
            let file = folder.appending(path: "rows.csv").path
            #expect(try run(["sql", query, "--output", file], nil).code == 1)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        }
    }

    @Test("a file that is there is replaced, a link is written through")
    func links() throws {
        try withServer { _, run, folder in
            let file = folder.appending(path: "rows.csv")
            let link = folder.appending(path: "link.csv")
            try Data("old, and longer than what comes".utf8).write(to: file)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
            for (path, number) in [(file.path, 1), (link.path, 2)] {
                #expect(try run(["sql", "SELECT \(number) AS n", "--output", path], nil).code == 0)
                #expect(try String(contentsOf: file, encoding: .utf8) == "n\n\(number)\n")
            }
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)
            let full = try run(["sql", "SELECT 1", "--output", "/dev/full"], nil)
            #expect(full.code == 1 && full.errors.contains("No space left"), "\(full.errors)")
        }
    }

    @Test("a query that takes too long is ended, by the server's limit or the client's wish")
    func timeout() throws {
        try withServer { _, run, _ in
            let ended = try run(
                ["sql", "SELECT count(*) FROM range(100000000000)", "--timeout", "100ms"], nil)
            #expect(ended.code == 1)
            #expect(ended.errors.contains("100 ms"), "\(ended.errors)")
        }
    }

    @Test("Ctrl-C cancels the query on the server")
    func interrupt() throws {
        try withServer { server, _, _ in
            let query = try Executable.start(
                ["sql", "SELECT count(*) FROM range(100000000000)"],
                environment: ["PYRALOG_URL": server.url])
            try waitUntil(server) { $0.contains("\"state\":\"running\"") }
            query.send(SIGINT)
            #expect(try query.end().code == -SIGINT)
            try waitUntil(server) { $0 == "{\"queries\":[]}\n" }
        }
    }

    private func waitUntil(_ server: TestServer, _ holds: (String) -> Bool) throws {
        for _ in 0..<400 {
            if holds(try server.get("/v1/queries").body) { return }
            usleep(25_000)
        }
        Issue.record("it never came: \(try server.get("/v1/queries").body)")
    }
}
