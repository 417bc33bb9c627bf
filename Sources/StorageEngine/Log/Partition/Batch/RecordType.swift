/// What a record's value is, in one byte of a batch's type column. The numbers are part of the on-disk format.
package struct RecordType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let json = RecordType(rawValue: 0)
    package static let deleted = RecordType(rawValue: 1)
    package static let expired = RecordType(rawValue: 2)
    package static let evicted = RecordType(rawValue: 3)
    /// The content type stands in the record's extras.
    package static let other = RecordType(rawValue: 255)

    package var isTombstone: Bool { (1...3).contains(rawValue) }

    private static let firstKnown: UInt8 = 16
    private static let known = [
        "text/plain", "text/plain; charset=utf-8", "application/octet-stream", "text/html", "text/csv",
        "image/jpeg", "image/png", "application/pdf", "application/x-protobuf", "application/xml",
        "application/vnd.msgpack", "application/cbor",
    ]

    /// The code of a content type, `.other` when it has none of its own. `application/json` is `.json`.
    package init(contentType: String) {
        if contentType == "application/json" {
            self = .json
        } else if let index = Self.known.firstIndex(of: contentType) {
            rawValue = Self.firstKnown + UInt8(index)
        } else {
            self = .other
        }
    }

    /// Nil for tombstones and `.other`.
    package var contentType: String? {
        if self == .json { return "application/json" }
        let index = Int(rawValue) - Int(Self.firstKnown)
        return Self.known.indices.contains(index) ? Self.known[index] : nil
    }

    package static let plainText = RecordType(contentType: "text/plain")
    package static let octetStream = RecordType(contentType: "application/octet-stream")
}
