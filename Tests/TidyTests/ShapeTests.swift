import Foundation
import Testing

@Suite("The shape of files")
struct ShapeTests {
    static let fileLinesMax = 400
    static let functionLinesMax = 60

    @Test("a file has one subject: no more than 400 lines")
    func fileLength() {
        for file in SourceTree.swiftSources + SourceTree.files(below: "Tests", endings: [".swift"]) {
            // The last newline makes one more piece.
            #expect(
                file.lines.count - 1 <= Self.fileLinesMax, "\(file.path) has \(file.lines.count - 1) lines")
        }
    }

    @Test("a function fits on a screen: no more than 60 lines")
    func functionLength() {
        for file in SourceTree.swiftSources {
            for function in functions(of: file) {
                #expect(
                    function.lines <= Self.functionLinesMax,
                    "\(file.path), line \(function.start): \(function.lines) lines")
            }
        }
    }

    @Test("no module bears the name of a type")
    func moduleNames() throws {
        let modules = Set(SourceTree.modules)
        let declaration = /\b(?:struct|class|enum|protocol|actor|typealias)\s+([A-Za-z0-9_]+)/
        for file in SourceTree.swiftSources {
            for line in file.lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                guard let name = line.firstMatch(of: declaration)?.1 else { continue }
                #expect(!modules.contains(String(name)), "\(file.path) declares \(name)")
            }
        }
    }

    /// Benchmarks measure what other modules' tests have shown to be right.
    @Test("every module has tests", arguments: SourceTree.modules.filter { $0 != "Benchmarks" })
    func modulesHaveTests(module: String) {
        let tests = SourceTree.files(below: "Tests/\(module)Tests", endings: [".swift"])
        #expect(tests.contains { $0.text.contains("@Test") }, "Tests/\(module)Tests has no test")
    }

    @Test("the top of the project holds what is known there, and nothing else")
    func top() throws {
        let known: Set<String> = [
            "Package.swift", "Package.resolved", "Sources", "Tests", "openapi", "docs", "docker-compose.yml",
            "README.md", "Dockerfile", "scripts",
        ]
        for name in try FileManager.default.contentsOfDirectory(atPath: SourceTree.top.path) {
            #expect(name.hasPrefix(".") || known.contains(name), "\(name) does not belong there")
        }
    }

    /// From the line that declares it to the closing brace at the same depth: the layout is `swift format`'s.
    private func functions(of file: SourceTree.File) -> [(start: Int, lines: Int)] {
        let head = /^ *(?:[a-z@()]+ )*(?:func |init[?(<]|deinit \{)/
        let lines = file.lines
        var found: [(start: Int, lines: Int)] = []
        for (start, line) in lines.enumerated() where line.firstMatch(of: head) != nil && !line.hasSuffix("}")
        {
            let closing = line.prefix { $0 == " " } + "}"
            guard let end = lines[start...].firstIndex(where: { $0 == closing }) else { continue }
            found.append((start + 1, end - start + 1))
        }
        return found
    }
}
