import Platform

/// The same for request bodies, which are kept alive through the call: a pointer taken out of one is not.
extension RecordParser {
    package func parse(_ text: ByteBuffer, fields: RecordFields = .none) throws(RecordFailure) -> Kind {
        defer { withExtendedLifetime(text) {} }
        return try parse(text.bytes, fields: fields)
    }

    package func elements(
        of text: ByteBuffer, fields: RecordFields = .none, recordsMax: Int
    ) throws(RecordFailure) {
        defer { withExtendedLifetime(text) {} }
        try elements(of: text.bytes, fields: fields, recordsMax: recordsMax)
    }

    package func lines(
        of text: ByteBuffer, from: Int, isFinal: Bool, fields: RecordFields = .none, recordsMax: Int
    ) -> LineProgress {
        defer { withExtendedLifetime(text) {} }
        return lines(of: text.bytes, from: from, isFinal: isFinal, fields: fields, recordsMax: recordsMax)
    }

    package func envelopes(of text: ByteBuffer, recordsMax: Int) throws(RecordFailure) -> [RecordEnvelope] {
        defer { withExtendedLifetime(text) {} }
        return try envelopes(of: text.bytes, recordsMax: recordsMax)
    }

    package func isSingleText(_ text: ByteBuffer) -> Bool {
        defer { withExtendedLifetime(text) {} }
        return isSingleText(text.bytes)
    }
}

extension MergePatch {
    package static func apply(
        target: ByteBuffer, patch: ByteBuffer, using parser: RecordParser
    ) throws(RecordFailure) -> [UInt8] {
        defer { withExtendedLifetime((target, patch)) {} }
        return try apply(target: target.bytes, patch: patch.bytes, using: parser)
    }
}
