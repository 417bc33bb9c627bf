import ArrowStream
import Testing

@Suite("The bytes of a stream")
struct StreamBytesTests {
    @Test("one column, three rows, one of them null: the bytes that pyarrow reads")
    func golden() throws {
        let stream = try TestStream(.init("i", "a"))
        let batch = try stream.bytes(.batch(.init(3, [[0b101], raw(Int32.self, 1, 2, 3)])))
        let bytes = stream.encoder.header() + batch + ArrowStreamEncoder.end
        #expect(hex(bytes) == Self.golden)
    }

    @Test("a stream without batches is a header and the end")
    func noBatches() throws {
        let stream = try TestStream(.init("i", "a"))
        #expect(ReadMessage.all(stream.encoder.header()).map(\.kind) == [.schema])
        #expect(hex(ArrowStreamEncoder.end) == "ffffffff00000000\n")
    }

    @Test("messages and buffers lie at multiples of 64 bytes")
    func alignment() throws {
        let stream = try TestStream(.init("u", "a longer name than others"), .init("b", "b"))
        #expect(stream.encoder.header().count % 64 == 0)
        let text = [UInt8](repeating: 65, count: 100)
        let batch = try stream.bytes(
            .batch(.init(1, [nil, raw(Int32.self, 0, 100), text]), .init(1, [nil, [1]])))
        #expect(batch.count % 64 == 0)
        #expect(ReadMessage.all(batch)[0].buffers == [[], raw(Int32.self, 0, 100), text, [], [1]])
    }

    /// 32 bytes a line.
    private func hex(_ bytes: [UInt8]) -> String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
            if index % 32 == 31 || index == bytes.count - 1 { text += "\n" }
        }
        return text
    }

    static let golden = """
        ffffffffb800000014000000000000000c001300100012000c0004000c000000
        0000000000000000100000000400010008000a00080004000800000008000000
        00000000010000001400000010001200040010001100080000000c0010000000
        100000001c000000240000000102000001000000610000000800090004000800
        0800000020000000010000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000000
        ffffffffb800000014000000000000000c001300100012000c0004000c000000
        8000000000000000140000000400030000000a00140004000c0010000a000000
        03000000000000000c0000002000000000000000010000000300000000000000
        0100000000000000000000000200000000000000000000000100000000000000
        40000000000000000c0000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000000
        0500000000000000000000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000000
        0100000002000000030000000000000000000000000000000000000000000000
        0000000000000000000000000000000000000000000000000000000000000000
        ffffffff00000000

        """
}
