import JSON
import StorageEngine

extension JSONWriter {
    /// The members that say a record's value: `value` (JSON), `value_text` (text in UTF-8), `value_base64` or `tombstone`,
    /// and `content_type` unless it is JSON.
    ///
    /// - Parameters:
    ///   - onOneLine: line ends between the tokens of a JSON value become spaces.
    ///   - prefersShort: a long text whose escapes would take more than its base64 does is written like that.
    mutating func valueMembers(of record: Record, onOneLine: Bool = false, prefersShort: Bool = false) {
        if let tombstone = record.type.tombstone {
            member("tombstone", tombstone)
            return
        }
        let contentType = record.type == .json ? nil : record.contentType
        let mediaType = contentType.flatMap { MediaType(parsing: $0) }
        if contentType == nil || mediaType?.isJSON == true {
            key("value")
            if onOneLine { rawOnOneLine(record.value) } else { raw(record.value) }
        } else if mediaType?.isText == true, isValidUTF8(record.value),
            !(prefersShort && Self.isMostlyEscapes(record.value))
        {
            key("value_text")
            string(utf8: record.value)
        } else {
            key("value_base64")
            base64(record.value)
        }
        if let contentType { member("content_type", contentType) }
    }

    private static func isMostlyEscapes(_ text: UnsafeRawBufferPointer) -> Bool {
        guard text.count > 1 << 20 else { return false }
        var added = 0
        for byte in text {
            if byte < 0x20 {
                added &+= 5
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                added &+= 1
            }
        }
        return added > text.count / 3
    }

    /// `partition`, `offset`, `revision` and, where there is a deadline, `expires_at`.
    mutating func placeMembers(of record: Record, in log: Log) {
        placeMembers(of: record, epoch: log.epoch)
    }

    mutating func placeMembers(of record: Record, epoch: Epoch) {
        placeMembers(of: Revision(partition: record.partition, offset: record.offset, epoch: epoch))
        if record.deadline != Deadline.never { member("expires_at", record.deadline) }
    }

    mutating func placeMembers(of revision: Revision) {
        member("partition", revision.partition)
        member("offset", revision.offset.rawValue)
        member("revision", revision.fieldText)
    }
}

extension RecordType {
    /// Why the record is gone; nil for a value.
    var tombstone: StaticString? {
        switch self {
        case .deleted: "deleted"
        case .expired: "expired"
        case .evicted: "evicted"
        default: nil
        }
    }
}
