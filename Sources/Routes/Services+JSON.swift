import JSON
import Platform

extension Services {
    /// - Throws: `RecordFailure` unless the bytes are exactly one JSON text.
    func validateJSON(_ buffer: ByteBuffer) throws(RecordFailure) {
        try parsers.withParser { parser throws(RecordFailure) in _ = try parser.parse(buffer.bytes) }
    }

    func isJSON(_ buffer: ByteBuffer) -> Bool {
        // Most of what is no JSON shows it at once, and a parser's refusal costs microseconds.
        guard let first = buffer.bytes.first(where: { !Self.isBlank($0) }), Self.beginsJSON(first) else {
            return false
        }
        return parsers.withParser { parser in parser.isSingleText(buffer.bytes) }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func beginsJSON(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
