/// What few records carry beside key and value: user headers, and a content type without a code of its own.
///
/// Encoded as: content type (UInt16 length, bytes), then for each header: name (UInt16 length, bytes), value
/// (UInt32 length, bytes). Little endian. Empty when there is nothing.
package struct RecordExtras: Equatable, Sendable {
    package struct Header: Equatable, Sendable {
        package let name: String
        package let value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var contentType: String?
    package var headers: [Header]

    package init(contentType: String? = nil, headers: [Header] = []) {
        self.contentType = contentType
        self.headers = headers
    }

    /// - Precondition: names and the content type are at most 65,535 bytes.
    package func encoded() -> [UInt8] {
        guard contentType != nil || !headers.isEmpty else { return [] }
        var bytes: [UInt8] = []
        func append(_ text: String, lengthBytes: Int) {
            let length = text.utf8.count
            for shift in 0..<lengthBytes { bytes.append(UInt8(truncatingIfNeeded: length >> (8 * shift))) }
            bytes.append(contentsOf: text.utf8)
        }
        append(contentType ?? "", lengthBytes: 2)
        for header in headers {
            append(header.name, lengthBytes: 2)
            append(header.value, lengthBytes: 4)
        }
        return bytes
    }

    /// Total: damaged bytes end the list.
    package init(decoding bytes: UnsafeRawBufferPointer) {
        var position = 0
        func text(lengthBytes: Int) -> String? {
            guard bytes.count - position >= lengthBytes else { return nil }
            var length = 0
            for index in 0..<lengthBytes { length |= Int(bytes[position + index]) << (8 * index) }
            position += lengthBytes
            guard bytes.count - position >= length else { return nil }
            defer { position += length }
            return String(decoding: bytes[position..<position + length], as: UTF8.self)
        }
        self.init()
        guard let type = text(lengthBytes: 2) else { return }
        contentType = type.isEmpty ? nil : type
        while position < bytes.count, let name = text(lengthBytes: 2), let value = text(lengthBytes: 4) {
            headers.append(Header(name: name, value: value))
        }
    }
}
