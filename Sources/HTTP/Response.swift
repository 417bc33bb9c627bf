package struct Response: Sendable {
    package var status: Int
    package var contentType: String?
    package var fields: [HeaderField]
    /// More fields, of an answer on the hot path.
    package var lines: FieldLines?
    package var body: ResponseBody
    /// False forbids gzip and zstd (raw key values, event streams).
    package var mayBeCompressed = true
    /// Adds `Connection: close`.
    package var closesConnection = false

    package init(
        status: Int, contentType: String? = nil, fields: [HeaderField] = [], lines: FieldLines? = nil,
        body: ResponseBody = .empty
    ) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.lines = lines
        self.body = body
    }

    /// `fields` and `lines`.
    package var allFields: [(name: String, value: String)] {
        fields.map { ($0.name.description, $0.value) } + (lines?.fields ?? [])
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
