/// A media type as RFC 9110 writes it: `type/subtype; name=value`.
struct MediaType: Sendable, Equatable {
    /// `type/subtype` in lower case.
    let essence: String
    /// Names in lower case, values without their quotes.
    let parameters: [Parameter]

    struct Parameter: Sendable, Equatable {
        let name: String
        let value: String
    }

    static let lengthMax = 255

    var isJSON: Bool { essence == "application/json" || essence.hasSuffix("+json") }
    /// What `curl -d` sends, which says nothing about the body.
    var isForm: Bool { essence == "application/x-www-form-urlencoded" }
    var isText: Bool { essence.hasPrefix("text/") }
    var charset: String? { parameters.first { $0.name == "charset" }?.value.lowercased() }

    /// - Throws: `unsupported_media_type` for what is no media type, or is in another charset than UTF-8.
    init(_ text: String) throws(Problem) {
        guard text.utf8.count <= Self.lengthMax, let parsed = MediaType(parsing: text) else {
            throw .unsupportedMediaType(
                "\(Problem.quoted(text)) is no media type of at most \(Self.lengthMax) bytes")
        }
        self = parsed
        if let charset, charset != "utf-8" {
            throw .unsupportedMediaType(
                "the charset \(Problem.quoted(charset)) is not understood; send UTF-8")
        }
    }

    init?(parsing text: String) {
        var scanner = FieldScanner(text)
        scanner.skipBlanks()
        guard let type = scanner.token(), scanner.skip("/"), let subtype = scanner.token() else { return nil }
        var parameters: [Parameter] = []
        while true {
            scanner.skipBlanks()
            if scanner.isAtEnd { break }
            guard scanner.skip(";") else { return nil }
            scanner.skipBlanks()
            if scanner.isAtEnd { break }
            guard let name = scanner.token() else {
                if scanner.isAt(";") { continue }
                return nil
            }
            guard scanner.skip("="), let value = scanner.token() ?? scanner.quotedString() else { return nil }
            parameters.append(Parameter(name: name.lowercased(), value: value))
        }
        essence = "\(type)/\(subtype)".lowercased()
        self.parameters = parameters
    }
}
