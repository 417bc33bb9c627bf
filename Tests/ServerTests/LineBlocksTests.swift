import Foundation
import Testing

@testable import Server

@Suite("Input cut into blocks of lines")
struct LineBlocksTests {
    private func withFile<Result>(_ text: String, _ body: (InputFile) throws -> Result) throws -> Result {
        let url = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(text.utf8).write(to: url)
        defer { try? FileManager.default.removeItem(at: url) }
        return try body(InputFile(url.path))
    }

    private func blocks(_ text: String, blockBytes: Int) throws -> [String] {
        try withFile(text) { file in
            var blocks = LineBlocks(file, blockBytes: blockBytes)
            var texts: [String] = []
            while let block = try blocks.next() { texts.append(String(decoding: block, as: UTF8.self)) }
            return texts
        }
    }

    @Test(
        "blocks together are the input, and each but the last ends with a line",
        arguments: ["", "\n", "a", "a\n", "a\nb", "a\n\nb\n", "0123456789\n"], [1, 100_000])
    func together(unit: String, count: Int) throws {
        let text = String(repeating: unit, count: count) + "end"
        let blocks = try blocks(text, blockBytes: 1000)
        let isWhole = blocks.joined() == text
        #expect(isWhole)
        #expect(blocks.dropLast().allSatisfy { $0.hasSuffix("\n") })
        #expect(blocks.allSatisfy { !$0.isEmpty })
    }

    @Test("an empty input has no blocks")
    func empty() throws { #expect(try blocks("", blockBytes: 1000) == []) }

    @Test("a line longer than a block is not cut")
    func longLine() throws {
        let line = String(repeating: "x", count: 1_000_000) + "\n"
        #expect(try blocks("a\n" + line + "b\n", blockBytes: 1000).joined() == "a\n" + line + "b\n")
        #expect(try blocks(line + line, blockBytes: 1000).allSatisfy { $0.hasSuffix("x\n") })
    }

    @Test("a file that is not there is named")
    func missing() {
        let failure = #expect(throws: InputFile.Failure.self) { try InputFile("/nonexistent/input") }
        #expect(failure?.description.contains("/nonexistent/input") == true)
    }
}
