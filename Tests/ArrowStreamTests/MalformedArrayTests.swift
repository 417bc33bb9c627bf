import ArrowStream
import Testing

@Suite("Arrays that break the rules")
struct MalformedArrayTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let schema: ProducedSchema
        let array: ProducedArray

        init(_ description: String, _ schema: ProducedSchema, _ array: ProducedArray) {
            testDescription = description
            self.schema = schema.with { $0.name = "bad" }
            self.array = array
        }
    }

    static let byte = ProducedArray(1, [nil, [1]])
    static let cases: [Case] = [
        .init("a length below 0", .init("c"), .init(-1, [nil, [1]])),
        .init("an offset below 0", .init("c"), .init(1, offset: -1, [nil, [1]])),
        .init("an endless length", .init("c"), .init(.max, [nil, [1]])),
        .init("no values", .init("c"), .init(1, [nil, nil])),
        .init("no booleans", .init("b"), .init(1, [nil, nil])),
        .init("too few buffers", .init("u"), .init(1, [nil, raw(Int32.self, 0, 1)])),
        .init("no buffers", .init("c"), .init(1, [])),
        .init("nulls without a validity buffer", .init("c"), Self.byte.with { $0.nulls = 1 }),
        .init("offsets that go back", .init("u"), .init(1, [nil, raw(Int32.self, 2, 1), [1]])),
        .init("offsets below 0", .init("u"), .init(1, [nil, raw(Int32.self, -1, 1), [1]])),
        .init(
            "wide offsets out of range", .init("+L", "", [.init("c", "x")]),
            .init(1, [nil, raw(Int64.self, 0, .max)], [byte])),
        .init("a child too many", .init("c"), .init(1, [nil, [1]], [byte])),
        .init("a child that is missing", .init("+s", "", [.init("c", "x")]), .init(1, [nil])),
        .init("a child that is too short", .init("+s", "", [.init("c")]), .init(2, [nil], [byte])),
        .init("too few elements for a fixed size", .init("+w:2", "", [.init("c")]), .init(1, [nil], [byte])),
        .init(
            "a fixed size beyond all numbers", .init("+w:2147483647", "", [.init("c")]),
            .init(1 << 47, [nil], [byte])),
        .init("views without sizes", .init("vu"), .init(1, [nil, [UInt8](repeating: 0, count: 16)])),
        .init(
            "views with a size below 0", .init("vu"),
            .init(1, [nil, [UInt8](repeating: 0, count: 16), [1], raw(Int64.self, -1)])),
        .init(
            "views with a buffer that is missing", .init("vu"),
            .init(1, [nil, [UInt8](repeating: 0, count: 16), nil, raw(Int64.self, 1)])),
    ]

    @Test(
        "is an error that names the column; the array is released and the encoder goes on", arguments: cases)
    func refused(_ example: Case) throws {
        let stream = try TestStream(.init("n", "fine"), example.schema)
        let releases = Releases()
        let memory = ArrowArrayMemory()
        let rows = max(0, min(example.array.length, 1 << 47))
        ProducedArray(rows, [nil], [.init(rows, []), example.array]).fill(memory.pointer, releases)
        let failure = failure { () throws(ArrowStreamFailure) in _ = try stream.encoder.batch(memory)
        }
        switch failure {
        case .malformedArray(let column, _, _), .tooLarge(let column, _, _):
            #expect(column.split(separator: ".").first == "bad")
        default: Issue.record("\(String(describing: failure))")
        }
        #expect(memory.isReleased)
        #expect(releases.count > 2)
    }

    @Test("a batch with a row that is null, or the wrong number of columns, is refused")
    func batches() throws {
        let stream = try TestStream(.init("c", "a"))
        #expect(throws: ArrowStreamFailure.self) { try stream.bytes(.init(1, [[0]], [Self.byte])) }
        #expect(throws: ArrowStreamFailure.self) { try stream.bytes(.batch(Self.byte, Self.byte)) }
        #expect(throws: ArrowStreamFailure.self) { try stream.encoder.batch(ArrowArrayMemory()) }
        #expect(try stream.messages(.batch(Self.byte)).count == 1)
    }

    @Test("a failure reads as a sentence")
    func description() {
        let failure = ArrowStreamFailure.unknownFormat(column: "a.b", format: "+r")
        #expect("\(failure)" == #"column "a.b": the Arrow format "+r" is not known"#)
    }
}
