import Platform

package enum Method: String, Sendable, CaseIterable {
    case get = "GET"
    case head = "HEAD"
    case put = "PUT"
    case post = "POST"
    case patch = "PATCH"
    case delete = "DELETE"
    case options = "OPTIONS"
}

/// One request. Header values and the target are the client's bytes, already checked for framing.
package final class Request: @unchecked Sendable {
    package let method: Method
    /// The request target as sent, undecoded: path and query.
    package let target: [UInt8]
    /// The captures of the route's pattern, percent-decoded, in order. `{key}` captures may hold any bytes.
    package internal(set) var parameters: [[UInt8]] = []
    /// The decoded body, once complete (`BodyHandling.buffered`); empty otherwise.
    package internal(set) var body: ByteBuffer

    /// A request without a connection, for tests of routes and for use in process.
    package init(
        _ method: Method, _ target: String, fields: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        fatalError("skeleton")
    }

    /// The value of a header field, compared without case; nil when it is absent. The first one where there are several.
    package func field(_ name: StaticString) -> String? { fatalError("skeleton") }

    /// All query parameters in order, decoded (`+` is a space), as bytes; a parameter without `=` has an empty value.
    /// - Throws: `HTTPFailure.badPercentEncoding`.
    package func query() throws(HTTPFailure) -> [(name: [UInt8], value: [UInt8])] { fatalError("skeleton") }

    /// The route pattern that matched, as in the route table: the label of metrics.
    package internal(set) var routePattern: String = ""
}

/// What the HTTP layer refuses by itself. `Routes` turns it into a problem document with the same mapping as all errors.
package enum HTTPFailure: Error, Sendable, Equatable {
    /// Ambiguous or forbidden framing: 400, the connection is closed. `detail` says which header and why.
    case badFraming(detail: String)
    /// A `Transfer-Encoding` other than `chunked`: 501, closed.
    case unknownTransferEncoding
    case badPercentEncoding(where: String)
    case badPath(detail: String)
    case routeNotFound
    case methodNotAllowed(allow: String)
    case bodyTooLarge(limit: Int, what: String)
    case targetTooLong(limit: Int)
    case headersTooLarge(limit: Int)
    case unsupportedContentCoding(String)
    case malformedContentCoding(detail: String)
    case bodyTimeout(detail: String)
    case misdirected(host: String)
    case originForbidden(origin: String)
    case overloaded(detail: String, retryAfterSeconds: Int)
    case shuttingDown
    case deadlinePassed
}
