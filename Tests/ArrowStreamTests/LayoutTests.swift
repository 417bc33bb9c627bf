import ArrowStream
import Testing

@Suite("The layouts of columns")
struct LayoutTests {
    @Test("numbers of a slice begin at its offset, and so do their nulls")
    func fixed() throws {
        let stream = try TestStream(.init("s", "c"))
        let message = try stream.column(.init(3, offset: 2, [[0b1_0111], raw(Int16.self, 1, 2, 3, 4, 5)]))
        #expect(message.rows == 3)
        #expect(message.nodes == [3, 1])
        #expect(message.buffers == [[0b101], raw(Int16.self, 3, 4, 5)])
    }

    @Test("without nulls there is no validity buffer", arguments: [nil, [0xFF]] as [[UInt8]?])
    func noNulls(validity: [UInt8]?) throws {
        let message = try TestStream(.init("c", "c")).column(.init(2, [validity, [7, 8]]))
        #expect(message.nodes == [2, 0])
        #expect(message.buffers == [[], [7, 8]])
    }

    @Test("booleans are shifted to the first bit")
    func bits() throws {
        let stream = try TestStream(.init("b", "c"))
        let message = try stream.column(
            .init(10, offset: 3, [[0xFF, 0b1110_1111], [0b0101_1010, 0b1010_0101]]))
        #expect(message.nodes == [10, 1])
        #expect(message.buffers == [[0b1111_1111, 0b01], [0b1010_1011, 0b00]])
    }

    @Test("a column of nulls has no buffers")
    func nulls() throws {
        let message = try TestStream(.init("n", "c")).column(.init(5, []))
        #expect(message.nodes == [5, 5])
        #expect(message.buffers.isEmpty)
    }

    @Test("texts of a slice are cut out, and their offsets begin at 0")
    func variable() throws {
        let text = Array("onetwothree".utf8)
        let narrow = try TestStream(.init("u", "c"))
            .column(.init(2, offset: 1, [nil, raw(Int32.self, 0, 3, 6, 11), text]))
        #expect(narrow.buffers == [[], raw(Int32.self, 0, 3, 8), Array("twothree".utf8)])
        let wide = try TestStream(.init("Z", "c"))
            .column(.init(2, offset: 1, [nil, raw(Int64.self, 0, 3, 6, 11), text]))
        #expect(wide.buffers == [[], raw(Int64.self, 0, 3, 8), Array("twothree".utf8)])
    }

    @Test("a list's elements are cut out, at any depth")
    func list() throws {
        let stream = try TestStream(.init("+l", "c", [.init("+L", "", [.init("c")])]))
        let inner = ProducedArray(
            4, offset: 1, [nil, raw(Int64.self, 9, 0, 1, 3, 6)], [.init(6, [nil, [1, 2, 3, 4, 5, 6]])])
        let message = try stream.column(.init(2, offset: 1, [[0b110], raw(Int32.self, 0, 1, 1, 3)], [inner]))
        #expect(message.nodes == [2, 0, 2, 0, 5, 0])
        #expect(
            message.buffers == [
                [], raw(Int32.self, 0, 0, 2), [], raw(Int64.self, 0, 2, 5), [], [2, 3, 4, 5, 6],
            ])
    }

    @Test("a list view keeps its elements whole")
    func listView() throws {
        let stream = try TestStream(.init("+vl", "c", [.init("c")]))
        let message = try stream.column(
            .init(
                2, offset: 1, [nil, raw(Int32.self, 0, 2, 0), raw(Int32.self, 1, 1, 2)],
                [.init(3, [nil, [4, 5, 6]])]))
        #expect(message.nodes == [2, 0, 3, 0])
        #expect(message.buffers == [[], raw(Int32.self, 2, 0), raw(Int32.self, 1, 2), [], [4, 5, 6]])
    }

    @Test("a list of fixed size and a structure cut their children as themselves")
    func fixedListOfStructures() throws {
        let stream = try TestStream(
            .init("+w:2", "c", [.init("+s", "", [.init("c", "x"), .init("b", "y")])]))
        let x = ProducedArray(8, offset: 1, [nil, [99, 0, 1, 2, 3, 4, 5, 6, 7]])
        let y = ProducedArray(8, [nil, [0b0110_0100]])
        let message = try stream.column(
            .init(2, offset: 1, [nil], [.init(7, offset: 1, [[0b0111_1111]], [x, y])]))
        // Elements 2 to 5 of a structure that begins with its own second row: rows 3 to 6 of its children.
        #expect(message.nodes == [2, 0, 4, 0, 4, 0, 4, 0])
        #expect(message.buffers == [[], [], [], [3, 4, 5, 6], [], [0b1100]])
    }

    @Test("a map is a list of entries")
    func map() throws {
        let stream = try TestStream(
            .init("+m", "c", [.init("+s", "entries", [.init("c", "key"), .init("c", "value")])]))
        let entries = ProducedArray(
            3, [nil], [.init(3, [nil, [1, 2, 3]]), .init(3, [[0b101], [4, 5, 6]])])
        let message = try stream.column(.init(1, offset: 1, [nil, raw(Int32.self, 0, 1, 3)], [entries]))
        #expect(message.nodes == [1, 0, 2, 0, 2, 0, 2, 1])
        #expect(message.buffers == [[], raw(Int32.self, 0, 2), [], [], [2, 3], [0b10], [5, 6]])
    }

    @Test("a union has no validity; dense children stay whole, sparse ones are cut")
    func unions() throws {
        let children = [ProducedArray(3, [nil, [1, 2, 3]]), ProducedArray(3, [[0b101], [4, 5, 6]])]
        let dense = try TestStream(.init("+ud:0,1", "c", [.init("c"), .init("c")]))
            .column(.init(2, offset: 1, [[0, 1, 0], raw(Int32.self, 0, 0, 1)], children))
        #expect(dense.nodes == [2, 0, 3, 0, 3, 1])
        #expect(dense.buffers == [[1, 0], raw(Int32.self, 0, 1), [], [1, 2, 3], [0b101], [4, 5, 6]])
        let sparse = try TestStream(.init("+us:0,1", "c", [.init("c"), .init("c")]))
            .column(.init(2, offset: 1, [[0, 1, 0]], children))
        #expect(sparse.nodes == [2, 0, 2, 0, 2, 1])
        #expect(sparse.buffers == [[1, 0], [], [2, 3], [0b10], [5, 6]])
    }

    @Test("views have the buffers that their last one gives the sizes of")
    func views() throws {
        let stream = try TestStream(.init("vu", "a"), .init("vz", "b"))
        let views = [UInt8](repeating: 1, count: 16) + [UInt8](repeating: 2, count: 16)
        let a = ProducedArray(1, offset: 1, [nil, views, [5, 6, 7], [8], raw(Int64.self, 3, 1)])
        let b = ProducedArray(1, [[0], [UInt8](repeating: 0, count: 16), nil])
        let message = try stream.messages(.batch(a, b))[0]
        #expect(message.variadicCounts == [2, 0])
        #expect(message.nodes == [1, 0, 1, 1])
        #expect(
            message.buffers == [
                [], Array(views[16...]), [5, 6, 7], [8], [0], [UInt8](repeating: 0, count: 16),
            ])
    }

    @Test("no rows are no memory, and one offset")
    func empty() throws {
        let stream = try TestStream(
            .init("u", "a"), .init("+L", "b", [.init("b")]), .init("vu", "c"),
            .init("+us:0", "d", [.init("n")]))
        let message = try stream.messages(
            .batch(
                .init(0, [nil, nil, nil]), .init(0, [nil, nil], [.init(0, [nil, nil])]),
                .init(0, [nil, nil, nil]),
                .init(0, [nil], [.init(0, [])])))[0]
        #expect(message.rows == 0)
        #expect(message.nodes == [Int64](repeating: 0, count: 12))
        #expect(message.buffers == [[], raw(Int32.self, 0), [], [], raw(Int64.self, 0), [], [], [], [], []])
    }

    @Test("the offset of a batch is that of every column")
    func batchOffset() throws {
        let stream = try TestStream(.init("c", "a"), .init("c", "b"))
        let message = try stream.messages(
            .init(
                2, offset: 1, [nil],
                [.init(3, [nil, [1, 2, 3]]), .init(4, offset: 2, [nil, [0, 0, 1, 2, 3, 4]])]))[0]
        #expect(message.rows == 2)
        #expect(message.buffers == [[], [2, 3], [], [2, 3]])
    }
}
