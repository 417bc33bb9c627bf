import JSON
import Platform
import Testing

struct RecordLinesTests {
    private let parser = RecordParser()

    private func lines(
        _ text: String, isFinal: Bool = true, fields: RecordFields = .none, recordsMax: Int = 1_000_000
    ) -> (RecordParser.LineProgress, ByteBuffer) {
        let body = buffer(text)
        return (
            parser.lines(of: body, from: 0, isFinal: isFinal, fields: fields, recordsMax: recordsMax),
            body
        )
    }

    @Test("each line is a record; blank ones and carriage returns are passed over")
    func simple() {
        let (progress, body) = lines("{\"a\":1}\r\n\n  \r\n 7 \n\"x\"\n[1, 2]\nnull")
        #expect(progress.failure == nil)
        #expect(progress.lines == 7)
        #expect(progress.consumed == body.count)
        #expect(parser.values(in: body) == ["{\"a\":1}", "7", "\"x\"", "[1, 2]", "null"])
    }

    @Test("an unfinished last line waits for the rest")
    func streaming() {
        let whole = "{\"a\":1}\n{\"b\":\"\\n\"}\n{\"c\":3}\n"
        for cut in 0...whole.utf8.count {
            let parser = RecordParser()
            let body = ByteBuffer(Array(whole.utf8.prefix(cut)))
            let first = parser.lines(of: body, from: 0, isFinal: false, recordsMax: 10)
            #expect(first.failure == nil)
            body.append(Array(whole.utf8.dropFirst(cut)))
            let second = parser.lines(of: body, from: first.consumed, isFinal: true, recordsMax: 10)
            #expect(second.failure == nil)
            #expect(first.lines + second.lines == 3)
            #expect(parser.values(in: body) == ["{\"a\":1}", "{\"b\":\"\\n\"}", "{\"c\":3}"])
        }
    }

    @Test(
        "the bad line is named, blank ones counted, and the records before it are found",
        arguments: [
            "{\"a\":}", "1 2", "{} {}", "{\"a\":", "\"", "tru", "\u{1}", "\"\\q\"", "]", "{\"a\":1}x",
        ])
    func badLine(bad: String) throws {
        let (progress, body) = lines("{\"a\":1}\n\n\(bad)\n{\"b\":1}\n")
        let failure = try #require(progress.failure)
        #expect(failure.item == 3)
        #expect(failure.kind == .invalid)
        #expect(try #require(failure.position) >= 9)
        #expect(progress.lines == 2)
        #expect(parser.values(in: body) == ["{\"a\":1}"])
    }

    @Test("a text over two lines is refused at the first of them")
    func overTwoLines() throws {
        let (progress, _) = lines("1\n{\"a\":\n1}\n")
        #expect(try #require(progress.failure).item == 2)
        #expect(try #require(progress.failure).message.contains("one record is one line"))
    }

    @Test("invalid UTF-8 far into many lines is blamed on its line")
    func badUTF8() throws {
        var bytes: [UInt8] = []
        for number in 1...5000 {
            bytes +=
                Array("{\"n\":\(number),\"text\":\"".utf8) + (number == 4321 ? [0xFF] : [0x41])
                + Array("\"}\n".utf8)
        }
        let body = ByteBuffer(bytes)
        let progress = parser.lines(of: body, from: 0, isFinal: true, recordsMax: 1_000_000)
        #expect(try #require(progress.failure).item == 4321)
        #expect(parser.found.count == 4320)
    }

    @Test("a line of 65 levels among 10,000 is named")
    func deepLine() throws {
        let all = (1...10_000).map { $0 == 7777 ? array(ofDepth: 65) : array(ofDepth: 64) }
        let (progress, _) = lines(all.joined(separator: "\n"))
        let failure = try #require(progress.failure)
        #expect(failure.kind == .tooDeep)
        #expect(failure.item == 7777)
    }

    @Test("lines longer than a window and windows of short lines are split alike")
    func windows() {
        let long = "\"" + String(repeating: "x", count: 300_000) + "\""
        let short = (0..<40_000).map { "\($0)" }
        let expected = short + [long] + short + [long, long]
        let (progress, body) = lines(expected.joined(separator: "\n"))
        #expect(progress.failure == nil)
        #expect(parser.values(in: body) == expected)
    }

    @Test("a call stops before the line that would pass the limit and goes on there")
    func limit() {
        let (progress, body) = lines("1\n\n2\n3\n4\n", recordsMax: 2)
        #expect(progress.failure == nil)
        #expect(parser.values(in: body) == ["1", "2"])
        parser.reset()
        let rest = parser.lines(of: body, from: progress.consumed, isFinal: true, recordsMax: 2)
        #expect(parser.values(in: body) == ["3", "4"])
        #expect(progress.lines + rest.lines == 5)
    }

    @Test("keys and timestamps of lines stand in columns")
    func fields() throws {
        let (progress, body) = lines(
            #"{"id":"a","at":1}"# + "\n" + #"{"at":"1970-01-01T00:00:02Z","id":"\u0062"}"# + "\n"
                + #"{"id":3,"at":3}"#,
            fields: RecordFields(key: Array("id".utf8), timestamp: Array("at".utf8)))
        #expect(progress.failure == nil)
        #expect(parser.keys(in: body) == ["a", "b", "3"])
        #expect(Array(try #require(parser.found.timestamps)) == [1, 2000, 3])
    }

    @Test("a line without the key field is named")
    func missingField() throws {
        let (progress, _) = lines("{\"id\":1}\n{}\n", fields: RecordFields(key: Array("id".utf8)))
        let failure = try #require(progress.failure)
        #expect(failure.kind == .missing)
        #expect(failure.item == 2)
        #expect(parser.found.count == 1)
    }

    @Test("a megabyte of numbers takes no more than a walk over it")
    func manyScalars() {
        let (progress, _) = lines(String(repeating: "1\n", count: 500_000))
        #expect(progress.failure == nil)
        #expect(parser.found.count == 500_000)
    }
}
