import Platform

extension ObjectReader {
    /// A size: an integer of bytes, or a string like `"512MiB"`.
    package mutating func bytes(_ name: String, in range: ClosedRange<Int64>) throws(FieldFailure) -> Int64? {
        guard let value = raw(name) else { return nil }
        return try bytes(name, value, range)
    }

    /// A duration: an integer of milliseconds, or a string like `"10s"`.
    package mutating func milliseconds(
        _ name: String, in range: ClosedRange<Int64>
    ) throws(FieldFailure) -> Int64? {
        guard let value = raw(name) else { return nil }
        return try milliseconds(name, value, range)
    }

    /// A time: an integer of Unix milliseconds, or an RFC 3339 string.
    package mutating func timestamp(_ name: String) throws(FieldFailure) -> Int64? {
        guard let value = raw(name) else { return nil }
        return try integer(
            name, value, .min ... .max, text: Timestamps.parseRFC3339,
            expectation: "an integer of Unix milliseconds or an RFC 3339 time")
    }

    // MARK: Nullable

    package mutating func nullableInteger(
        _ name: String, in range: ClosedRange<Int64> = .min ... .max
    ) throws(FieldFailure) -> Presence<Int64> {
        guard let value = raw(name) else { return .absent }
        if value == .null { return .null }
        return .value(try integer(name, value, range) { _ in nil })
    }

    package mutating func nullableBytes(
        _ name: String, in range: ClosedRange<Int64>
    ) throws(FieldFailure) -> Presence<Int64> {
        guard let value = raw(name) else { return .absent }
        if value == .null { return .null }
        return .value(try bytes(name, value, range))
    }

    package mutating func nullableMilliseconds(
        _ name: String, in range: ClosedRange<Int64>
    ) throws(FieldFailure) -> Presence<Int64> {
        guard let value = raw(name) else { return .absent }
        if value == .null { return .null }
        return .value(try milliseconds(name, value, range))
    }

    package mutating func nullableString(_ name: String) throws(FieldFailure) -> Presence<String> {
        guard let value = raw(name) else { return .absent }
        if value == .null { return .null }
        guard case .string(let text) = value else { throw wrongType(name, "a string or null", value) }
        return .value(text)
    }

    // MARK: Keys

    /// The bytes of `key` (its UTF-8) or `key_base64`; nil when neither is there.
    /// - Throws: also when both are there, or the key is not 1–1024 bytes.
    package mutating func keyBytes(max bytesMax: Int = 1024) throws(FieldFailure) -> [UInt8]? {
        let text = try string("key")
        let encoded = try string("key_base64")
        if text != nil, encoded != nil {
            throw FieldFailure(
                .wrongType, path: fullPath("key_base64"),
                message: "\(fullPath("key_base64")) stands beside key.")
        }
        guard let name = text != nil ? "key" : encoded != nil ? "key_base64" : nil else { return nil }
        let key: [UInt8]
        if let encoded {
            guard let decoded = Base64.decode(encoded) else {
                throw FieldFailure(
                    .wrongType, path: fullPath(name),
                    message: "\(fullPath(name)) must be base64 (standard alphabet, padded).")
            }
            key = decoded
        } else {
            key = Array((text ?? "").utf8)
        }
        guard (1...bytesMax).contains(key.count) else { throw outOfRange(name, "1 to \(bytesMax) bytes") }
        return key
    }

    // The expectation says more than the units' own complaint, which names the text only: `try?` drops that.

    private func bytes(
        _ name: String, _ value: JSONValue, _ range: ClosedRange<Int64>
    ) throws(FieldFailure) -> Int64 {
        try integer(
            name, value, range, text: { try? Units.bytes($0) },
            expectation: "an integer of bytes or a size like \"512MiB\"")
    }

    private func milliseconds(
        _ name: String, _ value: JSONValue, _ range: ClosedRange<Int64>
    ) throws(FieldFailure) -> Int64 {
        try integer(
            name, value, range, text: { try? Units.milliseconds($0) },
            expectation: "an integer of milliseconds or a duration like \"10s\"")
    }
}
