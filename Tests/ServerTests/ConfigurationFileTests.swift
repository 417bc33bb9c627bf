import Foundation
import JSON
import Testing

@testable import Server

@Suite("Configuration files")
struct ConfigurationFileTests {
    private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).yaml")
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(url.path)
    }

    @Test("nested keys and keys with dots mean the same")
    func nesting() throws {
        let nested = try withFile("limits:\n  body: 1MB\n  value: 2MB\nport: 7071\n", ConfigurationFile.read)
        #expect(nested == ["limits.body": .text("1MB"), "limits.value": .text("2MB"), "port": .text("7071")])
        #expect(try withFile("limits.body: 1MB\n", ConfigurationFile.read) == ["limits.body": .text("1MB")])
    }

    @Test("lists, JSON, null, comments and nothing at all")
    func forms() throws {
        #expect(
            try withFile("cors: {origins: [a, b]}\n", ConfigurationFile.read) == [
                "cors.origins": .list(["a", "b"])
            ])
        #expect(try withFile("{\"port\": 7071}", ConfigurationFile.read) == ["port": .text("7071")])
        #expect(try withFile("port: ~\n", ConfigurationFile.read) == [:])
        #expect(try withFile("", ConfigurationFile.read) == [:])
        #expect(try withFile("# nothing\n", ConfigurationFile.read) == [:])
    }

    @Test(
        "what is no configuration is refused, with the file's name",
        arguments: [
            "{{{", "- a\n", "just text", "port: 1\nport: 2\n", "limits.body: 1MB\nlimits: {body: 2MB}\n",
            "a: [[1]]\n",
        ])
    func malformed(text: String) throws {
        try withFile(text) { path in
            let failure = #expect(throws: UsageFailure.self) { try ConfigurationFile.read(path) }
            #expect(failure?.description.contains(path) == true)
        }
    }

    @Test(
        "a file that cannot be read is named, with the system's words",
        arguments: ["/nonexistent/file.yaml", "/"])
    func unreadable(path: String) {
        let failure = #expect(throws: UsageFailure.self) { try ConfigurationFile.read(path) }
        #expect(failure?.description.hasPrefix("\(path): ") == true)
    }

    @Test("YAML becomes JSON with YAML's types")
    func json() throws {
        let value = try withFile("a: 1\nb: 1.5\nc: true\nd: ~\ne: \"1\"\nf: 30m\ng: [x, {y: 2}]\n") { path in
            try YAMLFile.json(#require(try YAMLFile.read(path)), path)
        }
        #expect(
            value
                == .object([
                    .init("a", .integer(1)), .init("b", .real(1.5)), .init("c", .bool(true)),
                    .init("d", .null),
                    .init("e", .string("1")), .init("f", .string("30m")),
                    .init("g", .array([.string("x"), .object([.init("y", .integer(2))])])),
                ]))
    }
}
