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
        switch text {
        case "application/json":
            self = .json
            return
        case "application/octet-stream":
            self = .octetStream
            return
        default: break
        }
        let mediaType = try MediaType(text)
        if mediaType.essence == "application/json" {
            self = .json
        } else {
            let type = RecordType(contentType: text)
            self.init(
                type: type, extras: type == .other ? RecordExtras(contentType: text).encoded() : [])
        }
    }

    /// What the request says about its body, before the body is there; nil without a type, or with the one that `curl -d`
    /// adds by itself.
    ///
    /// - Throws: `unsupported_media_type`.
    static func declared(by request: Request) throws(Problem) -> (text: String, isJSON: Bool)? {
        guard let text = request.field("Content-Type"), !text.isEmpty else { return nil }
        switch text {
        case "application/json": return (text, true)
        case "application/octet-stream", "text/plain": return (text, false)
        default:
            let mediaType = try MediaType(text)
            return mediaType.isForm ? nil : (text, mediaType.isJSON)
        }
    }

    /// The type that most values have, found without making a text of the field.
    private static func common(_ request: Request) -> ValueType? {
        let found: ValueType?? = request.withField("Content-Type") { bytes in
            if bytes == "text/plain" { return .plainText }
            if bytes == "application/json" { return .json }
            return bytes == "application/octet-stream" ? .octetStream : nil
        }
        return found ?? nil
    }

    /// - Throws: `unsupported_media_type`, before the body is there.
    static func checkDeclared(by request: Request) throws(Problem) {
        if common(request) == nil { _ = try declared(by: request) }
    }

    /// The type of a key's value, its JSON validated.
    static func of(_ request: Request, _ services: Services) throws -> ValueType {
        if let common = common(request) {
            if common.type == .json { try services.validateJSON(request.body) }
            return common
        }
        guard let declared = try declared(by: request) else { return sniffed(request.body, services) }
        if declared.isJSON { try services.validateJSON(request.body) }
        return try ValueType(contentType: declared.text)
    }

    private static func sniffed(_ body: ByteBuffer, _ services: Services) -> ValueType {
        if services.isJSON(body) { return .json }
        return isValidUTF8(body.bytes) ? .plainText : .octetStream
    }
}
