import Foundation
import Testing

@Suite("Words that have no place here")
struct WordTests {
    /// What people read and what runs, but for this suite, which has to name what it looks for.
    static let texts: [SourceTree.File] =
        SourceTree.swiftSources
        + ["Sources/C", "docs", "scripts", "openapi", ".ci"].flatMap {
            SourceTree.files(below: $0, endings: [""])
        }
        + SourceTree.files(below: "Tests", endings: [".swift", ".py", ".txt", ".ini"])
        .filter { !$0.path.hasPrefix("Tests/TidyTests/") }

    @Test("nothing is left for later", arguments: ["TODO", "FIXME", "XXX", "HACK"])
    func later(word: String) throws {
        let pattern = try Regex("\\b\(word)\\b")
        let offenders = Self.texts.filter { $0.text.firstMatch(of: pattern) != nil }.map(\.path)
        #expect(offenders.isEmpty)
    }

    @Test(
        "no trap waits for a client",
        arguments: ["try!", " as! ", "fatalError(", "unsafeBitCast", "unsafelyUnwrapped"])
    func traps(word: String) {
        let offenders = SourceTree.swiftSources.filter { $0.text.contains(word) }.map(\.path)
        #expect(offenders.isEmpty)
    }

    @Test("an unchecked Sendable says why beside it")
    func uncheckedSendable() {
        for file in SourceTree.swiftSources {
            for (index, line) in file.lines.enumerated() where line.contains("@unchecked Sendable") {
                let around = file.lines[max(0, index - 2)...min(file.lines.count - 1, index + 3)]
                #expect(around.contains { $0.contains("// Sendable:") }, "\(file.path), line \(index + 1)")
            }
        }
    }

    @Test("a discarded error says why beside it")
    func discardedErrors() {
        for file in SourceTree.swiftSources {
            for (index, line) in file.lines.enumerated() where line.firstMatch(of: #/\btry\? /#) != nil {
                let around = file.lines[max(0, index - 20)...min(file.lines.count - 1, index + 1)]
                #expect(around.contains { $0.contains("//") }, "\(file.path), line \(index + 1)")
            }
        }
    }

    @Test("no test is switched off")
    func disabledTests() {
        for file in SourceTree.files(below: "Tests", endings: [".swift", ".py"])
        where !file.path.hasPrefix("Tests/TidyTests/") {
            let words = [".disabled(", "mark.skip", "mark.xfail", "unittest.skip", "pytest.skip("]
            let found = words.filter { file.text.contains($0) }
            #expect(found.isEmpty, "\(file.path)")
        }
    }

    @Test("no file names a place on somebody's machine")
    func machinePaths() throws {
        let pattern = /(?:^|[\s"'=(])\/(?:work|root|Users|home\/[a-z]+|opt\/swift)\b/
            .anchorsMatchLineEndings()
        let documents = ["README.md", "Dockerfile", "docker-compose.yml", "Package.swift"].compactMap {
            name in
            // Not every one of them need be there.
            (try? String(contentsOf: SourceTree.top.appending(path: name), encoding: .utf8))
                .map { SourceTree.File(path: name, text: $0) }
        }
        for file in Self.texts + documents {
            if let match = file.text.firstMatch(of: pattern) { Issue.record("\(file.path): \(match.output)") }
        }
    }
}
