import CSimdJSON

/// Which fields of each record's object say its key and its time.
package struct RecordFields: Sendable {
    package static let keyBytesMax = 1024

    package var key: [UInt8]?
    package var timestamp: [UInt8]?

    package init(key: [UInt8]? = nil, timestamp: [UInt8]? = nil) {
        self.key = key
        self.timestamp = timestamp
    }

    package static let none = RecordFields()

    /// Calls with nil when no field is asked for.
    func withPointer<Result>(_ body: (UnsafePointer<pyra_json_fields>?) -> Result) -> Result {
        if key == nil, timestamp == nil { return body(nil) }
        // An empty name is a name: only nil is none, so each gets an address by a byte more.
        return ((key ?? []) + [0]).withUnsafeBufferPointer { keyName in
            ((timestamp ?? []) + [0]).withUnsafeBufferPointer { timestampName in
                var fields = pyra_json_fields(
                    key_name: key == nil ? nil : keyName.baseAddress, key_name_count: key?.count ?? 0,
                    timestamp_name: timestamp == nil ? nil : timestampName.baseAddress,
                    timestamp_name_count: timestamp?.count ?? 0, key_bytes_max: Self.keyBytesMax)
                return body(&fields)
            }
        }
    }
}
