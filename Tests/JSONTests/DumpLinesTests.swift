import Platform
import Testing

@testable import JSON

@Suite("Lines of a dump")
struct DumpLinesTests {
    let parser = RecordParser()

    private func read(_ text: String, from: Int = 0, isFinal: Bool = true) -> RecordParser.LineProgress {
        parser.dumpLines(of: ByteBuffer(Array(text.utf8)), from: from, isFinal: isFinal, linesMax: 1000)
    }

    private func text(_ slice: RecordSlice, of line: String) -> String {
        let bytes = slice.isScratch ? Array(parser.found.scratch) : Array(line.utf8)
        let start = Int(slice.start)
        return String(decoding: bytes[start..<start + Int(slice.count)], as: UTF8.self)
    }

    @Test("fields are found wherever they stand, others are passed over")
    func fields() {
        let lines = """
            {"new":{"a":[1,2]}}

            {"offset":7,"\\u006cog":"a\\n","key_base64":"a2V5","value":[1, 2] ,"arrival":5,"timestamp":"1970-01-01T00:00:00Z","new":1}
             {"tombstone":"deleted","superseded":true,"expires_at":-1,"key":"k","offset":1152921504606846976}
            """
        let progress = read(lines)
        #expect(progress.failure == nil)
        #expect(progress.lines == 4)
        let found = parser.foundDumpLines
        #expect(found.count == 3)
        #expect(found[0].offset == nil)
        #expect(text(found[0].text, of: lines) == "{\"new\":{\"a\":[1,2]}}")
        #expect(found[1].number == 3)
        #expect(found[1].offset == 7)
        #expect(text(found[1].log, of: lines) == "a\n")
        #expect(text(found[1].record.key, of: lines) == "key")
        #expect(text(found[1].record.value, of: lines) == "[1, 2]")
        #expect(found[1].arrival == 5)
        #expect(found[1].record.timestamp == 0)
        #expect(found[1].expiresAt == nil)
        #expect(!found[1].isSuperseded)
        #expect(found[2].number == 4)
        #expect(text(found[2].tombstone, of: lines) == "deleted")
        #expect(found[2].isSuperseded)
        #expect(found[2].expiresAt == -1)
        #expect(found[2].record.form == .missing)
    }

    @Test("nulls are as if they were not there, but for a value")
    func nulls() {
        let names = ["log", "offset", "arrival", "expires_at", "tombstone", "superseded", "key", "headers"]
        let line = "{" + names.map { "\"\($0)\":null" }.joined(separator: ",") + ",\"value\":null}"
        #expect(read(line).failure == nil)
        let found = parser.foundDumpLines[0]
        #expect(found.offset == nil)
        #expect(found.log.isAbsent)
        #expect(found.record.form == .null)
        #expect(text(found.record.value, of: line) == "null")
    }

    @Test("slices count from the start of the text, windows and calls apart")
    func positions() {
        let padding = String(repeating: "x", count: 30_000)
        let lines = (0..<20).map { "{\"offset\":\($0),\"value_text\":\"\(padding)\($0)\"}\n" }
        let text = lines.joined()
        let buffer = ByteBuffer(Array(text.utf8))
        let half = lines[..<10].joined().utf8.count
        _ = parser.dumpLines(
            of: ByteBuffer(Array(text.utf8.prefix(half))), from: 0, isFinal: false, linesMax: 1000)
        let progress = parser.dumpLines(of: buffer, from: half, isFinal: true, linesMax: 1000)
        #expect(progress.lines == 10)
        #expect(parser.foundDumpLines.count == 20)
        for index in 0..<20 {
            let value = parser.foundDumpLines[index].record.value
            #expect(self.text(value, of: text).hasSuffix("x\(index)"))
        }
    }

    @Test(
        "what is wrong is told with its line and field",
        arguments: [
            ("7", nil), ("[]", nil), ("{", nil), (#"{"offset":1"#, nil), (#"{"offset":1}x"#, nil),
            (#"{"offset":1152921504606846977}"#, "offset"), (#"{"offset":-1}"#, "offset"),
            (#"{"arrival":"soon"}"#, "arrival"), (#"{"superseded":"x"}"#, "superseded"),
            (#"{"tombstone":1}"#, "tombstone"), (#"{"log":["a"]}"#, "log"),
            (#"{"log":"a","log":"a"}"#, "log"),
            (#"{"value":1,"value":2}"#, "value"), (#"{"a":\"b"}"#, nil),
        ] as [(String, String?)])
    func failures(line: String, field: String?) {
        let progress = read("{}\n\n\(line)\n{}\n")
        #expect(progress.failure?.item == 3)
        #expect(progress.failure?.field == field)
        #expect(parser.foundDumpLines.count == 1)
    }
}
