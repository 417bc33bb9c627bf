import ArrowStream
import Testing

@Suite("Columns with dictionaries")
struct DictionaryTests {
    static let values = ProducedArray(2, [nil, raw(Int32.self, 0, 1, 2), Array("xy".utf8)])
    static let others = ProducedArray(2, [nil, raw(Int32.self, 0, 1, 2), Array("zw".utf8)])
    static let schema = ProducedSchema("c", "e").with { $0.dictionary = [.init("u")] }

    static func column(_ values: ProducedArray) -> ProducedArray {
        ProducedArray(3, [nil, [0, 1, 0]]).with { $0.dictionary = [values] }
    }

    @Test("a dictionary is sent before the first batch, and again only when it is another one")
    func sentOnce() throws {
        let stream = try TestStream(Self.schema)
        let kinds = try [Self.values, Self.values, Self.others, Self.others, Self.values].map {
            try stream.messages(.batch(Self.column($0))).map(\.kind)
        }
        #expect(
            kinds == [
                [.dictionary, .batch], [.batch], [.dictionary, .batch], [.batch], [.dictionary, .batch],
            ])
    }

    @Test("the message of a dictionary has its number and one column, that of the batch the indices")
    func contents() throws {
        let column = ProducedSchema("c", "n")
        let messages = try TestStream(column, Self.schema, Self.schema).messages(
            .batch(.init(3, [nil, [7, 8, 9]]), Self.column(Self.values), Self.column(Self.others)))
        #expect(messages.map(\.kind) == [.dictionary, .dictionary, .batch])
        #expect(messages.dropLast().map(\.dictionaryID) == [0, 1])
        #expect(messages[0].rows == 2)
        #expect(messages[0].nodes == [2, 0])
        #expect(messages[1].buffers == [[], raw(Int32.self, 0, 1, 2), Array("zw".utf8)])
        #expect(messages[2].buffers == [[], [7, 8, 9], [], [0, 1, 0], [], [0, 1, 0]])
    }

    @Test("values with a dictionary of their own follow that one, and are sent again with it")
    func nested() throws {
        let inner = ProducedSchema("+s", "", [Self.schema])
        let stream = try TestStream(ProducedSchema("c", "outer").with { $0.dictionary = [inner] })
        let sent = try [Self.values, Self.others, Self.others].map { values in
            try stream.messages(.batch(Self.column(.init(3, [nil], [Self.column(values)]))))
        }
        #expect(
            sent.map { $0.map(\.kind) } == [
                [.dictionary, .dictionary, .batch], [.dictionary, .dictionary, .batch], [.batch],
            ])
        #expect(sent[0].dropLast().map(\.dictionaryID) == [1, 0])
    }

    @Test("what a failure kept from being sent is sent with the next batch")
    func afterFailure() throws {
        let stream = try TestStream(Self.schema, Self.schema)
        let bad = Self.column(.init(2, [nil, nil, nil]))
        #expect(throws: ArrowStreamFailure.self) { try stream.bytes(.batch(Self.column(Self.values), bad)) }
        let good = Self.column(Self.values)
        #expect(try stream.messages(.batch(good, good)).map(\.kind) == [.dictionary, .dictionary, .batch])
    }

    @Test("a column without its dictionary is refused")
    func missing() throws {
        let stream = try TestStream(Self.schema)
        #expect(throws: ArrowStreamFailure.self) { try stream.bytes(.batch(.init(1, [nil, [0]]))) }
    }
}
