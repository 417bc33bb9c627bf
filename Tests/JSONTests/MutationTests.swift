import JSON
import Platform
import Testing

/// Hostile texts: nothing crashes, and the two libraries agree on what JSON is.
struct MutationTests {
    private static let seeds = [
        #"{"a":[1,-2.5e+3,true,false,null,"x\n\u00e9\ud83d\ude00"],"b":{"c":{}},"d":[],"e":""}"#,
        #"[{"id":"k1","at":1700000000000},{"id":2,"at":"2026-11-22T10:11:12Z"}]"#,
        #"{"records":[{"key":"a","value":{"x":1}},{"key_base64":"AP8=","value_text":"t","headers":{"h":"v"}}]}"#,
        "{\"a\":1}\n\n{\"b\":\"\\\\\"}\r\n[1,2,3]\n\"tail\"",
        #""string with \"quotes\" and \\ and é and 😀""#, "0", "-0.0e-0", "  [ [ [ ] , { } ] ]  ",
        "12345678901234567890123456789012345678901234567890", "[\"\\\\\",\"\\\"\",\"\\/\"]",
    ]
    private static let alphabet =
        Array("{}[]:,\"\\0123456789.eE+-truefalsn \n\r\t\u{1}u".utf8) + [0xC3, 0xA9, 0xFF, 0xED, 0x00]

    private func mutated(_ text: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var text = text
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            let index = Int.random(in: 0...text.count, using: &random)
            let byte = Self.alphabet[Int.random(in: 0..<Self.alphabet.count, using: &random)]
            switch Int.random(in: 0..<5, using: &random) {
            case 0: text.insert(byte, at: index)
            case 1 where index < text.count: text[index] = byte
            case 2 where index < text.count: text.remove(at: index)
            case 3 where index < text.count: text.removeSubrange(index...)
            default:
                let from = Int.random(in: 0...index, using: &random)
                text.insert(contentsOf: text[from..<index], at: index)
            }
        }
        return text
    }

    @Test("mutated texts never crash any reader, and slices stay inside their text")
    func neverCrash() {
        var random = SeededGenerator(state: 20_261_122)
        let parser = RecordParser()
        let fields = RecordFields(key: Array("id".utf8), timestamp: Array("at".utf8))
        for round in 0..<20_000 {
            let body = ByteBuffer(mutated(Array(Self.seeds[round % Self.seeds.count].utf8), &random))
            _ = try? parser.parse(body)
            _ = try? parser.parse(body, fields: fields)
            _ = try? parser.elements(of: body, recordsMax: 100)
            _ = try? parser.elements(of: body, fields: fields, recordsMax: 100)
            parser.reset()
            _ = parser.lines(of: body, from: 0, isFinal: round.isMultiple(of: 2), recordsMax: 100)
            for slice in parser.found.values {
                #expect(Int(slice.start) + Int(slice.count) <= body.count && slice.count > 0)
            }
            for slice in parser.found.keys ?? UnsafeBufferPointer(start: nil, count: 0) {
                let limit = slice.isScratch ? parser.found.scratch.count : body.count
                #expect(Int(slice.start) + Int(slice.count) <= limit)
            }
            _ = try? parser.envelopes(of: body, recordsMax: 100)
            let other = ByteBuffer(mutated(Array(Self.seeds[0].utf8), &random))
            if let merged = try? MergePatch.apply(target: body, patch: other, using: parser) {
                #expect(parser.isSingleText(ByteBuffer(merged)))
            }
            parser.reset()
        }
    }

    @Test("both libraries accept the same texts, save what only one of them limits")
    func agreement() {
        var random = SeededGenerator(state: 7)
        let parser = RecordParser()
        // Record bodies keep numbers of any size and do not look for duplicates.
        let limits = ["duplicate object key", "too big", "real number overflow", "NUL byte in object key"]
        var accepted = 0
        for round in 0..<60_000 {
            let bytes = mutated(Array(Self.seeds[round % Self.seeds.count].utf8), &random)
            let isText = parser.isSingleText(ByteBuffer(bytes))
            do throws(JSONFailure) {
                _ = try ControlJSON.parse(bytes)
                accepted += 1
                #expect(isText, "\(bytes)")
            } catch {
                let isLimit = limits.contains { error.message.contains($0) }
                #expect(!isText || isLimit, "\(String(decoding: bytes, as: UTF8.self)): \(error.message)")
            }
        }
        #expect(accepted > 1000)
    }

    @Test("a text read by lines is accepted exactly when each line is a text")
    func linesAgree() {
        var random = SeededGenerator(state: 99)
        let lines = RecordParser()
        let single = RecordParser()
        for _ in 0..<5_000 {
            var bytes: [UInt8] = []
            for _ in 0..<4 {
                let seed = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
                bytes +=
                    (Bool.random(using: &random) ? Array(seed.utf8) : mutated(Array(seed.utf8), &random)) + [
                        0x0A
                    ]
            }
            let body = ByteBuffer(bytes)
            let progress = lines.lines(of: body, from: 0, isFinal: true, recordsMax: 1000)
            let parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
            let bad = parts.firstIndex { part in
                !part.allSatisfy { [0x20, 0x09, 0x0D].contains($0) }
                    && !single.isSingleText(ByteBuffer(part))
            }
            #expect(progress.failure?.item == bad.map { $0 + 1 }, "\(String(decoding: bytes, as: UTF8.self))")
            lines.reset()
        }
    }
}
