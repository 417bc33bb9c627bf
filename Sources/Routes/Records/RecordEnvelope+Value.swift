import JSON
import StorageEngine

extension ValueType {
    /// What a record's object says of its value.
    ///
    /// - Parameter isJSON: is asked for a value in text or base64 whose type says JSON.
    init(
        _ form: RecordEnvelope.Form, contentType text: String?, isJSON: () throws -> Bool
    ) throws {
        guard let text else {
            switch form {
            case .missing, .null, .json: self = .json
            case .text: self = .plainText
            case .bytes: self = .octetStream
            }
            return
        }
        let mediaType: MediaType
        do throws(Problem) {
            mediaType = try MediaType(text)
        } catch {
            throw Problem.invalidArgument("content_type", error.detail)
        }
        switch form {
        case .missing, .null, .json:
            guard mediaType.isJSON else {
                throw Problem.invalidArgument(
                    "content_type",
                    "\(Problem.quoted(text)) is not JSON, which value is; use value_text or value_base64")
            }
        case .text, .bytes:
            // What is shown as JSON later must be JSON.
            if mediaType.isJSON, try !isJSON() {
                throw Problem.invalidArgument("content_type", "says JSON, and the value is none")
            }
        }
        try self.init(contentType: text)
    }

    /// As the engine keeps it beside the value. - Parameter headers: those of the record.
    func extras(with headers: [RecordExtras.Header]) -> [UInt8] {
        guard !headers.isEmpty else { return extras }
        let contentType = extras.withUnsafeBytes { RecordExtras(decoding: $0).contentType }
        return RecordExtras(contentType: contentType, headers: headers).encoded()
    }
}

extension RecordExtras {
    private static let nameBytesMax = 1024

    /// - Parameter bytes: the JSON text of an object of strings.
    static func headers(json bytes: UnsafeRawBufferPointer) throws -> [Header] {
        let value: JSONValue
        do throws(JSONFailure) {
            value = try ControlJSON.parse(bytes)
        } catch {
            throw Problem.invalidArgument("headers", error.message)
        }
        guard case .object(let members) = value else {
            throw Problem.invalidArgument("headers", "must be an object of strings")
        }
        return try members.map { member in
            guard case .string(let text) = member.value, member.name.utf8.count <= nameBytesMax else {
                throw Problem.invalidArgument(
                    "headers.\(member.name)",
                    "must be a string, under a name of at most \(nameBytesMax) bytes")
            }
            return .init(name: member.name, value: text)
        }
    }
}
