import Platform

/// One row of the API table.
package struct Route: Sendable {
    package let method: Method
    /// `/v1/logs/{log}/keys/{key}`; a verb stands raw at the end: `/v1/logs/{log}/keys/{key}:increment`.
    package let pattern: String
    package let body: @Sendable (Request) throws -> BodyHandling
    package let handler: @Sendable (Request) throws -> Reply

    package init(
        _ method: Method, _ pattern: String,
        body: @escaping @Sendable (Request) throws -> BodyHandling = { _ in .none },
        _ handler: @escaping @Sendable (Request) throws -> Reply
    ) {
        self.method = method
        self.pattern = pattern
        self.body = body
        self.handler = handler
    }
}

/// Decided from the head of a request, before any of its body is read.
package enum BodyHandling: Sendable {
    /// No body is expected; one that comes is read up to a small limit and dropped.
    case none
    /// Collected whole, decoded, then the handler is called with `request.body`. Over the limit → 413 naming `what`.
    case buffered(limit: Int, what: String)
    /// Handed on as it arrives; the handler is not called, `finish()` answers.
    case streamed(any BodyConsumer)
}

package protocol BodyConsumer: AnyObject, Sendable {
    /// Takes decoded bytes. An error answers at once (its mapping) and closes the connection.
    func consume(_ bytes: UnsafeRawBufferPointer) throws
    /// The body is complete.
    func finish() throws -> Reply
    /// The body will not be completed: hang-up, deadline, limit.
    func cancelled()
}

package enum Reply: Sendable {
    case now(Response)
    /// The answer comes later, from any thread, through the `DeferredReply` made by `request.deferReply`.
    case later(DeferredReply)
}
