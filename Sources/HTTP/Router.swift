import Platform

/// Matches raw paths against the route table and runs handlers. Knows no socket.
package final class Router: Sendable {
    /// - Parameters:
    ///   - problem: the one mapping from any error to a response, `Routes`' own.
    package init(routes: [Route], problem: @escaping @Sendable (any Error, Request?) -> Response) {
        fatalError("skeleton")
    }

    /// Runs one request to its end in process, body included, waiting for deferred replies and collecting streams.
    /// For tests of routes: everything but the socket.
    package func respond(to request: Request) -> CollectedResponse { fatalError("skeleton") }
}

package struct CollectedResponse: Sendable {
    package let status: Int
    package let contentType: String?
    package let fields: [HeaderField]
    package let body: [UInt8]
    package func field(_ name: String) -> String? { fatalError("skeleton") }
    package init(status: Int, contentType: String?, fields: [HeaderField], body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.fields = fields
        self.body = body
    }
}
