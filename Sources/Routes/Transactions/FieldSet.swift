import JSON
import Platform
import StorageEngine

/// The members of an object that holds a value of the sender's among fields of ours.
struct FieldSet {
    /// A value as a client gives it: bytes and what they are.
    struct Value {
        let bytes: [UInt8]
        let type: RecordType
        /// Encoded; the content type when it has no code of its own, and headers.
        let extras: [UInt8]
        let isNull: Bool
    }

    let path: String
    private var members: [(name: String, value: RawJSON)]

    /// - Throws: unless it is an object without duplicates.
    init(_ object: RawJSON, at path: String) throws {
        self.path = path
        guard let members = try object.members() else {
            throw Problem.invalidArgument(path.isEmpty ? "body" : path, "must be an object")
        }
        var names: Set<[UInt8]> = []
        for member in members where !names.insert(Array(member.name.utf8)).inserted {
            throw Problem(
                .invalidJSON, "\(Self.full(path, member.name)) is given twice",
                members: [.init("field", .string(Self.full(path, member.name)))])
        }
        self.members = members
    }

    private static func full(_ path: String, _ name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    mutating func take(_ name: String) -> RawJSON? {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
        return members.remove(at: index).value
    }

    /// - Throws: when there is a field that nobody took.
    func finish() throws { try reader().finish() }

    /// What is left.
    func reader() throws -> ObjectReader {
        ObjectReader(
            try members.map { member in JSONValue.Member(member.name, try member.value.value()) }, at: path)
    }

    /// `value`, `value_text` or `value_base64`, with `content_type` and `headers`; nil without any.
    mutating func value(_ services: Services) throws -> Value? {
        let raw = take("value")
        let text = try string("value_text")
        let encoded = try string("value_base64")
        let contentType = try string("content_type")
        let headers = try headers()
        guard [raw != nil, text != nil, encoded != nil].filter({ $0 }).count <= 1 else {
            throw Problem.invalidArgument(
                Self.full(path, "value"), "give one of value, value_text and value_base64")
        }
        guard let bytes = try raw?.bytes ?? text.map({ Array($0.utf8) }) ?? encoded.map(decoded) else {
            if contentType != nil {
                throw Problem.invalidArgument(Self.full(path, "content_type"), "there is no value")
            }
            return nil
        }
        guard bytes.count <= services.limits.valueBytesMax else {
            throw Problem.tooLarge(Self.full(path, "value"), limit: services.limits.valueBytesMax)
        }
        let standard: ValueType = raw != nil ? .json : text != nil ? .plainText : .octetStream
        let type = try contentType.map { try declared($0, bytes, isJSON: raw != nil, services) } ?? standard
        let extras =
            headers.isEmpty
            ? type.extras
            : RecordExtras(
                contentType: type.extras.withUnsafeBytes { RecordExtras(decoding: $0).contentType },
                headers: headers
            ).encoded()
        return Value(bytes: bytes, type: type.type, extras: extras, isNull: raw?.isNull ?? false)
    }

    private mutating func string(_ name: String) throws -> String? {
        guard let raw = take(name) else { return nil }
        guard case .string(let text) = try raw.value() else {
            throw Problem.invalidArgument(Self.full(path, name), "must be a string")
        }
        return text
    }

    private func decoded(_ encoded: String) throws -> [UInt8] {
        guard let bytes = Base64.decode(encoded) else {
            throw Problem.invalidArgument(
                Self.full(path, "value_base64"), "must be base64 (standard alphabet, padded)")
        }
        return bytes
    }

    private func declared(
        _ contentType: String, _ bytes: [UInt8], isJSON: Bool, _ services: Services
    ) throws -> ValueType {
        let field = Self.full(path, "content_type")
        let mediaType: MediaType
        do throws(Problem) { mediaType = try MediaType(contentType) } catch {
            throw Problem.invalidArgument(field, error.detail)
        }
        if isJSON, !mediaType.isJSON {
            throw Problem.invalidArgument(
                field,
                "\(Problem.quoted(contentType)) is not JSON, which value is; use value_text or value_base64")
        }
        if !isJSON, mediaType.isJSON {
            let isText = services.parsers.withParser { parser in
                bytes.withUnsafeBytes { parser.isSingleText($0) }
            }
            guard isText else { throw Problem.invalidArgument(field, "says JSON, and the value is none") }
        }
        return try ValueType(contentType: contentType)
    }

    private mutating func headers() throws -> [RecordExtras.Header] {
        guard let raw = take("headers") else { return [] }
        let field = Self.full(path, "headers")
        guard case .object(let members) = try raw.value() else {
            throw Problem.invalidArgument(field, "must be an object of strings")
        }
        return try members.map { member in
            guard case .string(let text) = member.value, member.name.utf8.count <= 1024 else {
                throw Problem.invalidArgument(
                    "\(field).\(member.name)", "must be a string, under a name of at most 1024 bytes")
            }
            return .init(name: member.name, value: text)
        }
    }
}
