/// A whole response in memory, as `Router.respond(to:)` gives it.
package struct CollectedResponse: Sendable {
    package let status: Int
    package let contentType: String?
    package let fields: [(name: String, value: String)]
    package let body: [UInt8]

    package init(
        status: Int, contentType: String?, fields: [(name: String, value: String)], body: [UInt8]
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }

    /// The first field of that name, compared without case.
    package func field(_ name: String) -> String? {
        let wanted = name.lowercased()
        if wanted == "content-type" { return contentType }
        return fields.first { $0.name.lowercased() == wanted }?.value
    }
}
