import JSON
import Testing

/// Random rows: what comes out agrees with Jansson's reading of each row by itself, and nothing crashes.
@Suite("Fields of random rows")
struct FieldMutationTests {
    private static let names = ["a", "b", "id", "name", "a longer name, of 30 bytes or so", "é", "x\"y", ""]
    private static let literals = [
        "null", "true", "false", "0", "-1", "12", "1.5", "-2.5e-3", "9223372036854775807", "1e30", #""""#,
        #""12""#,
        #""x""#, #""twelve bytes""#, #""thirteen, too""#, #""esc\"aped\\""#, #""\u00e9\ud83d\ude00""#,
        #""}{][,:""#,
        "{}", "[]", #"{"a":{"b":"}"}}"#, #"[1,{"id":[[]]},"]"]"#, #"" true""#, #""true""#,
    ]
    private static let targets: [FieldColumn.Target] = [
        .boolean(lenient: false), .int64(lenient: false), .double(lenient: true), .text(anyValue: false),
        .json,
        .text(anyValue: true), .int64(lenient: true), .double(lenient: false),
    ]

    private func spelled(_ name: String, _ random: inout SeededGenerator) -> String {
        var text = ""
        for scalar in name.unicodeScalars {
            let mustEscape = scalar == "\"" || scalar == "\\"
            if mustEscape || Int.random(in: 0..<12, using: &random) == 0 {
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return "\"\(text)\""
    }

    private func object(_ random: inout SeededGenerator) -> String {
        let space = ["", "", "", " ", "\n\t"]
        let count = Int.random(in: 0...Self.names.count, using: &random)
        let isShuffled = Int.random(in: 0..<3, using: &random) == 0
        let names = (isShuffled ? Self.names.shuffled(using: &random) : Self.names).prefix(count)
        let members = names.map { name in
            let value = Self.literals.randomElement(using: &random) ?? "0"
            let gap = space.randomElement(using: &random) ?? ""
            return gap + spelled(name, &random) + gap + ":" + gap + value + gap
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// What a target makes of a value, the slow way; nil is no value. JSON texts are compared as values
    /// elsewhere.
    private func expected(_ value: JSONValue?, _ target: FieldColumn.Target) -> FieldValue? {
        switch (target, value) {
        case (.boolean, .bool(let value)): .boolean(value)
        case (.int64, .integer(let value)): .integer(value)
        case (.double, .integer(let value)): .double(Double(value))
        case (.double, .real(let value)): .double(value)
        case (.int64(lenient: true), .string(let text)): Int64(text).map(FieldValue.integer)
        case (.double(lenient: true), .string(let text)): Double(text).map(FieldValue.double)
        case (.text, .string(let text)): .text(text)
        default: nil
        }
    }

    private func compare(
        _ column: [FieldValue?], _ wanted: FieldColumn, with rows: [JSONValue?]
    ) throws {
        let name = String(decoding: wanted.name, as: UTF8.self)
        for (row, found) in zip(rows, column) {
            let value = row?[name]
            let isRaw: Bool =
                switch (wanted.target, value) {
                case (_, nil), (_, .null): false
                case (.json, _): true
                case (.text(anyValue: true), .string): false
                case (.text(anyValue: true), _): true
                default: false
                }
            guard isRaw else {
                #expect(found == expected(value, wanted.target), "\(name) of \(String(describing: row))")
                continue
            }
            guard case .text(let text) = found else {
                Issue.record("no text of \(name) in \(String(describing: row))")
                continue
            }
            #expect(try ControlJSON.parse(Array(text.utf8)) == value)
        }
    }

    @Test("columns agree with Jansson's reading of each row")
    func agreement() throws {
        var random = SeededGenerator(state: 20_261_124)
        let columns = Self.names.flatMap { name in Self.targets.map { FieldColumn(name, $0) } }
        let extractor = FieldExtractor(columns)
        for _ in 0..<60 {
            var batch = FieldBatch()
            var rows: [JSONValue?] = []
            for _ in 0..<Int.random(in: 1...150, using: &random) {
                let isOther = Int.random(in: 0..<10, using: &random) == 0
                let text = isOther ? Self.literals.randomElement(using: &random) ?? "" : object(&random)
                let isMarked = Int.random(in: 0..<20, using: &random) == 0
                batch.add(Array(text.utf8), type: isMarked ? 1 : 0)
                rows.append(isMarked ? nil : try ControlJSON.parse(Array(text.utf8)))
            }
            let found = try batch.columns(extractor).columns
            for (column, wanted) in zip(found, columns) { try compare(column, wanted, with: rows) }
            try compareNames(batch, rows)
        }
    }

    private func compareNames(_ batch: FieldBatch, _ rows: [JSONValue?]) throws {
        var summary = FieldSummary()
        try batch.withRows { try FieldSummarizer().add($0, to: &summary) }
        var names: [String] = []
        for case .object(let members) in rows {
            for member in members where !names.contains(member.name) { names.append(member.name) }
        }
        #expect(summary.fields.map(\.name) == names)
        #expect(summary.rowsNotJSON == rows.count { $0 == nil })
    }

    @Test("bytes that are no JSON after all spoil no row but their own")
    func brokenRows() throws {
        var random = SeededGenerator(state: 5)
        let extractor = FieldExtractor(Self.targets.map { FieldColumn("a", $0) })
        let summarizer = FieldSummarizer()
        let alphabet = Array("{}[]:,\"\\019.eE-tfn \n\u{1}ua".utf8) + [0xC3, 0xFF, 0x00]
        for _ in 0..<4000 {
            var batch = FieldBatch()
            for row in 0..<6 {
                var bytes = Array((row == 1 || row == 4 ? "{\"a\":\(row)}" : object(&random)).utf8)
                if row % 3 != 1 {
                    for _ in 0..<Int.random(in: 1...3, using: &random) {
                        let index = Int.random(in: 0..<max(1, bytes.count), using: &random)
                        let byte = alphabet.randomElement(using: &random) ?? 0
                        if bytes.isEmpty || Bool.random(using: &random) {
                            bytes.insert(byte, at: index)
                        } else if Bool.random(using: &random) {
                            bytes[index] = byte
                        } else {
                            bytes.removeSubrange(index...)
                        }
                    }
                }
                batch.add(bytes)
            }
            let columns = try batch.columns(extractor).columns
            #expect(columns[1][1] == .integer(1) && columns[1][4] == .integer(4))
            var summary = FieldSummary()
            try batch.withRows { try summarizer.add($0, to: &summary) }
            #expect(summary.rowCount == 6)
        }
    }

    @Test("offsets that make no sense are rows without values")
    func brokenOffsets() throws {
        let values = Array(#"{"a":1}{"a":2}"#.utf8)
        let extractor = FieldExtractor([FieldColumn("a", .int64(lenient: false))])
        for offsets: [Int32] in [
            [0, 7, 14, 20], [0, 7, 3, 14], [-5, 0, 7, 7], [0, .max, .min, 0], [20, 30, 0, 7],
        ] {
            let array = FieldArray(.int64(lenient: false), count: 3)
            try values.withUnsafeBytes { values in
                try offsets.withUnsafeBufferPointer { offsets in
                    let rows = FieldRows(values: values, offsets: offsets, range: 0..<3)
                    _ = try extractor.extract(rows, into: [array.output])
                    var summary = FieldSummary()
                    try FieldSummarizer().add(rows, to: &summary)
                    #expect(!summary.isAllJSON)
                }
            }
        }
    }
}
