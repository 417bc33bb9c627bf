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
