import ArrowStream
import CArrow
import Testing

@Suite("The schema of a stream")
struct SchemaTests {
    /// What a format string becomes: the number of the type, and the numbers in its table.
    struct Case: Sendable, CustomTestStringConvertible {
        let format: String
        let number: Int64
        let check: @Sendable (FlatReader) -> Bool
        var testDescription: String { format }

        init(
            _ format: String, _ number: Int64,
            _ check: @escaping @Sendable (FlatReader) -> Bool = { _ in true }
        ) {
            self.format = format
            self.number = number
            self.check = check
        }
    }

    static let cases: [Case] = [
        .init("n", 1), .init("b", 6), .init("u", 5), .init("U", 20), .init("vu", 24),
        .init("z", 4), .init("Z", 19), .init("vz", 23),
        .init("c", 2) { $0.int(0) == 8 && $0.byte(1) == 1 },
        .init("C", 2) { $0.int(0) == 8 && $0.byte(1) == 0 },
        .init("s", 2) { $0.int(0) == 16 && $0.byte(1) == 1 },
        .init("S", 2) { $0.int(0) == 16 && $0.byte(1) == 0 },
        .init("i", 2) { $0.int(0) == 32 && $0.byte(1) == 1 },
        .init("I", 2) { $0.int(0) == 32 && $0.byte(1) == 0 },
        .init("l", 2) { $0.int(0) == 64 && $0.byte(1) == 1 },
        .init("L", 2) { $0.int(0) == 64 && $0.byte(1) == 0 },
        .init("e", 3) { $0.short(0) == 0 }, .init("f", 3) { $0.short(0) == 1 },
        .init("g", 3) { $0.short(0) == 2 },
        .init("d:18,3", 7) { $0.int(0) == 18 && $0.int(1) == 3 && $0.int(2) == 128 },
        .init("d:9,-2,32", 7) { $0.int(0) == 9 && $0.int(1) == -2 && $0.int(2) == 32 },
        .init("d:18,0,64", 7) { $0.int(2) == 64 },
        .init("w:16", 15) { $0.int(0) == 16 },
        .init("tdD", 8) { $0.short(0) == 0 }, .init("tdm", 8) { $0.short(0) == 1 },
        .init("tts", 9) { $0.short(0) == 0 && $0.int(1) == 32 },
        .init("ttm", 9) { $0.short(0) == 1 && $0.int(1) == 32 },
        .init("ttu", 9) { $0.short(0) == 2 && $0.int(1) == 64 },
        .init("ttn", 9) { $0.short(0) == 3 && $0.int(1) == 64 },
        .init("tss:", 10) { $0.short(0) == 0 && $0.string(1) == nil },
        .init("tsm:UTC", 10) { $0.short(0) == 1 && $0.string(1) == "UTC" },
        .init("tsu:Europe/Berlin", 10) { $0.short(0) == 2 && $0.string(1) == "Europe/Berlin" },
        .init("tsn:+05:30", 10) { $0.short(0) == 3 && $0.string(1) == "+05:30" },
        .init("tDs", 18) { $0.short(0) == 0 }, .init("tDm", 18) { $0.short(0) == 1 },
        .init("tDu", 18) { $0.short(0) == 2 }, .init("tDn", 18) { $0.short(0) == 3 },
        .init("tiM", 11) { $0.short(0) == 0 }, .init("tiD", 11) { $0.short(0) == 1 },
        .init("tin", 11) { $0.short(0) == 2 },
    ]

    @Test("a format string becomes its type", arguments: cases)
    func types(_ example: Case) throws {
        let field = try TestStream(.init(example.format, "c")).fields[0]
        #expect(field.byte(2) == example.number)
        #expect(try example.check(#require(field.table(3))))
        #expect(field.tables(5).isEmpty)
    }

    @Test("what is nested has its children, and its own numbers")
    func nested() throws {
        let item = ProducedSchema("i", "item")
        let entries = ProducedSchema("+s", "entries", [.init("u", "key"), .init("i", "value")]).with {
            $0.flags = 0
        }
        let fields = try TestStream(
            .init("+l", "a", [item]), .init("+L", "b", [item]), .init("+vl", "c", [item]),
            .init("+vL", "d", [item]),
            .init("+w:3", "e", [item]), .init("+s", "f", [item, item]),
            .init("+m", "g", [entries]).with { $0.flags |= ARROW_FLAG_MAP_KEYS_SORTED },
            .init("+ud:5,7", "h", [item, item]), .init("+us:0", "i", [item])
        ).fields
        #expect(fields.map { $0.byte(2) } == [12, 21, 25, 26, 16, 13, 17, 14, 14])
        #expect(fields.map { $0.string(0) } == ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
        #expect(fields.map { $0.tables(5).count } == [1, 1, 1, 1, 1, 2, 1, 2, 1])
        #expect(fields[4].table(3)?.int(0) == 3)
        #expect(fields[6].table(3)?.byte(0) == 1)
        #expect(fields[6].tables(5)[0].byte(1) == 0)
        #expect(fields[6].tables(5)[0].tables(5).map { $0.string(0) } == ["key", "value"])
        #expect(fields[7].table(3)?.short(0) == 1)
        #expect(fields[7].table(3)?.ints(1) == [5, 7])
        #expect(fields[8].table(3)?.short(0) == 0)
    }

    @Test("metadata and whether nulls may be is carried over")
    func metadata() throws {
        let pair =
            raw(Int32.self, 1, 20) + Array("ARROW:extension:name".utf8) + raw(Int32.self, 10)
            + Array("arrow.json".utf8)
        let stream = try TestStream(
            batch: .batch(
                .init("u", "j").with { $0.metadata = pair }, .init("i", "n").with { $0.flags = 0 }
            ).with { $0.metadata = pair })
        let schema = ReadMessage.all(stream.encoder.header())[0].header
        for table in [schema.tables(2), stream.fields[0].tables(6)] {
            #expect(table.map { $0.string(0) } == ["ARROW:extension:name"])
            #expect(table.map { $0.string(1) } == ["arrow.json"])
        }
        #expect(stream.fields[1].tables(6).isEmpty)
        #expect(stream.fields.map { $0.byte(1) } == [1, 0])
    }

    @Test("a column with a dictionary has the type of its values, and tells of the indices")
    func dictionary() throws {
        let column = ProducedSchema("C", "e").with {
            $0.dictionary = [.init("u")]
            $0.flags |= ARROW_FLAG_DICTIONARY_ORDERED
        }
        let fields = try TestStream(column, column).fields
        #expect(fields.map { $0.byte(2) } == [5, 5])
        let tables = try fields.map { try #require($0.table(4)) }
        #expect(tables.map { $0.long(0) } == [0, 1])
        #expect(tables.map { $0.byte(2) } == [1, 1])
        #expect(tables[0].table(1)?.int(0) == 8)
        #expect(tables[0].table(1)?.byte(1) == 0)
    }

    @Test(
        "an unknown format is refused by its name",
        arguments: [
            "", "x", "+r", "w", "w:", "w:-1", "w:4294967296", "d:", "d:1", "d:1,2,3", "d:1,2,128,4", "d:a,b",
            "ts", "tsu",
            "tsx:", "+w:x", "+ud:1,", "+us:128", "+ud", ":", "+vx", "tDx",
        ])
    func unknown(format: String) {
        let failure = failure { () throws(ArrowStreamFailure) in
            _ = try TestStream(.init("+l", "list", [.init(format, "part")]))
        }
        #expect(failure == .unknownFormat(column: "list.part", format: format))
    }

    @Test("a schema that breaks the rules is refused, and the column named")
    func malformed() throws {
        let item = ProducedSchema("i", "item")
        let deep = (0..<80).reduce(item) { inner, _ in .init("+l", "", [inner]) }
        let cases: [ProducedSchema] = [
            .init("i", "bad", [item]), .init("+l", "bad"), .init("+l", "bad", [item, item]),
            .init("+m", "bad", [item]), .init("+m", "bad", [.init("+s", "e", [item])]), .init("+ud:1", "bad"),
            .init("u", "bad").with { $0.dictionary = [item] }, deep.with { $0.name = "bad" },
            .init("i", "bad").with { $0.metadata = raw(Int32.self, -1) },
            .init("i", "bad").with { $0.metadata = raw(Int32.self, 1, 0, -5) },
        ]
        for schema in cases {
            let failure = failure { () throws(ArrowStreamFailure) in
                _ = try TestStream(.init("i", "fine"), schema)
            }
            guard case .malformedSchema(let column, _, _) = failure else {
                Issue.record("\(schema): \(String(describing: failure))")
                continue
            }
            #expect(column == "bad")
        }
        #expect(
            failure { () throws(ArrowStreamFailure) in _ = try TestStream(ProducedSchema("i", "alone")) }
                == nil)
        #expect(
            failure { () throws(ArrowStreamFailure) in
                let memory = ArrowSchemaMemory()
                ProducedSchema("i").fill(memory.pointer)
                _ = try ArrowStreamEncoder(schema: memory)
            } == .malformedSchema(column: "", format: "i", reason: "a batch has the format \"+s\""))
    }
}
