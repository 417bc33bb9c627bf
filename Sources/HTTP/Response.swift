package struct Response: Sendable {
    package var status: Int
    package var contentType: String?
    package var fields: [HeaderField]
    package var body: ResponseBody
    /// False forbids gzip and zstd (raw key values, event streams).
    package var mayBeCompressed = true
    /// Adds `Connection: close`.
    package var closesConnection = false

    package init(
        status: Int, contentType: String? = nil, fields: [HeaderField] = [], body: ResponseBody = .empty
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }
}

package struct HeaderField: Sendable {
    package var name: StaticString
    package var value: String
    package init(_ name: StaticString, _ value: String) {
        self.name = name
        self.value = value
    }
}

extension Response {
    /// Tells the source of a response that nobody will send.
    func abandon() {
        if case .stream(let source) = body { source.finished() }
    }
}
