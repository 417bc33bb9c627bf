import JSON
import StorageEngine

extension JSONWriter {
    /// A record as an object with everything about it.
    mutating func record(_ record: Record, withPartition: Bool = false, onOneLine: Bool = false) {
        beginObject()
        if withPartition { member("partition", record.partition) }
        member("offset", record.offset.rawValue)
        member("timestamp", record.timestamp)
        if record.hasKey { bytesMember("key", base64: "key_base64", record.keyView) }
        valueMembers(of: record, onOneLine: onOneLine)
        if record.hasExtras { headersMember(record.extras.headers) }
        if record.deadline != Deadline.never { member("expires_at", record.deadline) }
        if record.priority != 0 { member("priority", Int(record.priority)) }
        endObject()
    }

    mutating func headersMember(_ headers: [RecordExtras.Header]) {
        guard !headers.isEmpty else { return }
        key("headers")
        object { json in
            for header in headers {
                json.key(header.name)
                json.string(header.value)
            }
        }
    }
}
