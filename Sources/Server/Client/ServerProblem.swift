import JSON

/// A refusal: a problem document, or whatever else came with a status that is no success.
struct ServerProblem: Error, CustomStringConvertible {
    let status: Int
    let document: JSONValue
    private let text: String

    init(status: Int, body: [UInt8]) {
        self.status = status
        text = String(decoding: body.prefix(500), as: UTF8.self)
        // A body that is no JSON document is shown as it came.
        let parsed = try? body.withUnsafeBytes { bytes throws(JSONFailure) in try ControlJSON.parse(bytes) }
        document = parsed ?? .null
    }

    /// `title: detail`
    var description: String {
        guard let title = document["title"]?.text else {
            return text.isEmpty ? "HTTP \(status)" : "HTTP \(status): \(text)"
        }
        guard let detail = document["detail"]?.text else { return title }
        return "\(title): \(detail)"
    }

    /// Nothing was applied, and the same request may succeed later.
    var mayBeRepeated: Bool { document["retryable"] == .bool(true) && document["applied"]?.text == "no" }
}

extension JSONValue {
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var number: Int64? { if case .integer(let number) = self { number } else { nil } }
    var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
