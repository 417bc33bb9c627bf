import JSON
import StorageEngine

extension JSONWriter {
    /// The members that say a record's value: `value` (JSON), `value_text` (text in UTF-8), `value_base64` or `tombstone`,
    /// and `content_type` unless it is JSON.
    ///
    /// - Parameter onOneLine: line ends between the tokens of a JSON value become spaces.
    mutating func valueMembers(of record: Record, onOneLine: Bool = false) {
        if let tombstone = record.type.tombstone {
            member("tombstone", tombstone)
            return
        }
        let contentType = record.type == .json ? nil : record.contentType
        let mediaType = contentType.flatMap { MediaType(parsing: $0) }
        if contentType == nil || mediaType?.isJSON == true {
            key("value")
            if onOneLine { rawOnOneLine(record.value) } else { raw(record.value) }
        } else if mediaType?.isText == true, isValidUTF8(record.value) {
            key("value_text")
            string(utf8: record.value)
        } else {
            key("value_base64")
            base64(record.value)
        }
        if let contentType { member("content_type", contentType) }
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
