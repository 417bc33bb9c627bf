import Foundation
import JSON
import Logging
import Testing

@testable import Server

@Suite("The server's own log")
struct LoggingTests {
    private func written(_ format: String, _ level: Logger.Level, _ body: (Logger, LogOutput) -> Void) throws
        -> [String]
    {
        let pipe = Pipe()
        let output = LogOutput(
            format: format, level: level, descriptor: pipe.fileHandleForWriting.fileDescriptor)
        body(output.logger(), output)
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return text.split(separator: "\n").map(String.init)
    }

    @Test("what is no terminal gets a JSON object a line, whatever is in the message")
    func json() throws {
        let lines = try written("auto", .info) { logger, _ in
            logger.warning("two\nlines and \"quotes\"", metadata: ["b": "\u{1}", "a": "x"])
        }
        #expect(lines.count == 1)
        let document = try Array(lines[0].utf8).withUnsafeBytes { try ControlJSON.parse($0) }
        #expect(document["level"] == .string("warning"))
        #expect(document["message"] == .string("two\nlines and \"quotes\""))
        #expect(document["a"] == .string("x"))
        #expect(document["b"] == .string("\u{1}"))
        let time = try #require(document["time"]?.stringValue)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil)
    }

    @Test("text is one line a message, fields in order of their names")
    func text() throws {
        let lines = try written("text", .info) { logger, _ in
            logger.error("it\nfailed", metadata: ["b": "2", "a": "1"])
        }
        #expect(lines.count == 1)
        #expect(lines[0].hasSuffix("error   it failed a=1 b=2"))
    }

    @Test("the level can be changed under a logger that exists")
    func level() throws {
        let lines = try written("text", .warning) { logger, output in
            logger.info("one")
            output.level = .info
            logger.info("two")
            output.level = .critical
            logger.error("three")
        }
        #expect(lines.map { $0.suffix(3) } == ["two"])
    }
}
