import HTTP
import JSON
import Platform
import StorageEngine

/// What a value is, by the type its sender named or else by its bytes.
struct ValueType: Equatable {
    let type: RecordType
    /// Encoded; only for a content type without a code of its own.
    let extras: [UInt8]

    static let json = ValueType(type: .json)
    static let plainText = ValueType(type: .plainText)
    static let octetStream = ValueType(type: .octetStream)

    init(type: RecordType, extras: [UInt8] = []) {
        self.type = type
        self.extras = extras
    }

    /// A content type as it was sent; it comes back like that.
    ///
    /// - Throws: `unsupported_media_type` for what is none, or is in another charset than UTF-8.
    init(contentType text: String) throws(Problem) {
        let mediaType = try MediaType(text)
        if mediaType.essence == "application/json" {
            self = .json
        } else {
            let type = RecordType(contentType: text)
            self.init(
                type: type, extras: type == .other ? RecordExtras(contentType: text).encoded() : [])
        }
    }

    /// Nil when the request does not say: no type, or the one that `curl -d` adds by itself.
    static func declared(by request: Request) throws(Problem) -> (text: String, isJSON: Bool)? {
        guard let text = request.field("Content-Type"), !text.isEmpty else { return nil }
        if text == "application/octet-stream" { return (text, false) }
        let mediaType = try MediaType(text)
        return mediaType.isForm ? nil : (text, mediaType.isJSON)
    }

    /// The type of a key's value, its JSON validated.
    static func of(_ request: Request, _ services: Services) throws -> ValueType {
        guard let declared = try declared(by: request) else { return sniffed(request.body, services) }
        if declared.isJSON { try services.validateJSON(request.body) }
        if declared.text == "application/octet-stream" { return .octetStream }
        return try ValueType(contentType: declared.text)
    }

    private static func sniffed(_ body: ByteBuffer, _ services: Services) -> ValueType {
        if services.isJSON(body) { return .json }
        return isValidUTF8(body.bytes) ? .plainText : .octetStream
    }
}
