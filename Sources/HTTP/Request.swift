import Platform

/// One request. Header values and the target are the client's bytes, already checked for framing.
package final class Request: @unchecked Sendable {
    // Sendable: until the handler has returned only the request's thread uses it; what may be read later (target,
    // parameters, body, fields of a deferred request) no longer changes then.
    package let method: Method
    /// The request target as sent, undecoded: path and query.
    package let target: [UInt8]
    /// The captures of the route's pattern, percent-decoded, in order. `{key}` captures may hold any bytes.
    package internal(set) var parameters: [[UInt8]] = []
    /// The decoded body, once complete (`BodyHandling.buffered`); empty otherwise.
    package internal(set) var body: ByteBuffer
    /// `Content-Length`.
    package internal(set) var announcedBytes: Int?
    /// False without any field whose name begins with `If-`.
    package internal(set) var isConditional = true
    var endpoint: Endpoint?
    var fields: RequestFields

    /// The body of requests that have none: shared, never written to.
    static let noBody = ByteBuffer()

    init(_ method: Method, target: [UInt8], fields: RequestFields, body: ByteBuffer) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    /// A request without a connection, for tests of routes and for use in process.
    package convenience init(
        _ method: Method, _ target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        var snapshot = HeaderSnapshot()
        for field in fields { snapshot.append(name: field.name.utf8, value: field.value.utf8) }
        self.init(method, target: Array(target.utf8), fields: .snapshot(snapshot), body: ByteBuffer(body))
        announcedBytes = field("Content-Length").flatMap { Int($0) }
    }

    /// The route pattern that matched, as in the route table: the label of metrics.
    package var routePattern: String { endpoint?.pattern ?? "" }

    /// The value of a header field, compared without case; nil when it is absent. The first one where there are several.
    package func field(_ name: StaticString) -> String? {
        fields.withValue(name) { ASCII.text($0) }
    }

    /// What `body` makes of the value of a header field; nil when it is absent. The bytes are the connection's.
    package func withField<Result>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        try fields.withValue(name, body)
    }

    /// Whether the header field is there, without making a `String` of it.
    package func hasField(_ name: StaticString) -> Bool {
        fields.withValue(name) { _ in true } ?? false
    }

    /// Copies the header fields out of the connection, so that they can be read after the handler has returned.
    func keepFields() { fields = fields.kept() }
}
