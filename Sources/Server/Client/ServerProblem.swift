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
        guard let title = document["title"]?.stringValue else {
            return text.isEmpty ? "HTTP \(status)" : "HTTP \(status): \(text)"
        }
        guard let detail = document["detail"]?.stringValue else { return title }
        return "\(title): \(detail)"
    }

    /// Nothing was applied, and the same request may succeed later.
    var mayBeRepeated: Bool {
        document["retryable"] == .bool(true) && document["applied"]?.stringValue == "no"
    }
}
