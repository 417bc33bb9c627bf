import CSimdJSON

/// One element of a batch body's `records`.
package struct RecordEnvelope: Sendable {
    package enum Form: Sendable {
        /// No value: with a key, its deletion.
        case missing
        /// JSON null: with a key, its deletion.
        case null
        case json
        /// `value_text`: decoded UTF-8.
        case text
        /// `value_base64`: decoded bytes.
        case bytes
    }

    package let form: Form
    package let value: RecordSlice
    package let key: RecordSlice
    package let contentType: RecordSlice
    /// The JSON text of the headers object; absent without one.
    package let headers: RecordSlice
    /// Unix milliseconds.
    package let timestamp: Int64?
    package let ttlMilliseconds: Int64?
    package let priority: UInt8?
    package let partition: Int?

    init(_ envelope: pyra_json_envelope) {
        form =
            switch UInt32(envelope.form) {
            case PYRA_JSON_VALUE_NULL.rawValue: .null
            case PYRA_JSON_VALUE_JSON.rawValue: .json
            case PYRA_JSON_VALUE_TEXT.rawValue: .text
            case PYRA_JSON_VALUE_BYTES.rawValue: .bytes
            default: .missing
            }
        value = RecordSlice(envelope.value)
        key = RecordSlice(envelope.key)
        contentType = RecordSlice(envelope.content_type)
        headers = RecordSlice(envelope.headers)
        func has(_ bit: Int) -> Bool { Int(envelope.has) & bit != 0 }
        timestamp = has(PYRA_JSON_HAS_TIMESTAMP) ? envelope.timestamp : nil
        ttlMilliseconds = has(PYRA_JSON_HAS_TTL) ? envelope.ttl_ms : nil
        priority = has(PYRA_JSON_HAS_PRIORITY) ? envelope.priority : nil
        partition = has(PYRA_JSON_HAS_PARTITION) ? Int(envelope.partition) : nil
    }
}
