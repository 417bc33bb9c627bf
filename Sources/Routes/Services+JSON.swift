import JSON
import Platform

extension Services {
    /// - Throws: `RecordFailure` unless the bytes are exactly one JSON text.
    func validateJSON(_ buffer: ByteBuffer) throws(RecordFailure) {
        try parsers.withParser { parser throws(RecordFailure) in _ = try parser.parse(buffer.bytes) }
    }

    func isJSON(_ buffer: ByteBuffer) -> Bool {
        parsers.withParser { parser in parser.isSingleText(buffer.bytes) }
    }
}
