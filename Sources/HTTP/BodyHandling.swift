/// Decided from the head of a request, before any of its body is read.
package enum BodyHandling: Sendable {
    /// No body is expected; one that comes is read up to a small limit and dropped.
    case none
    /// Collected whole, decoded, then the handler is called with `request.body`. Over the limit → 413 naming `what`.
    case buffered(limit: Int, what: String)
    /// Handed on as it arrives; the handler is not called, `finish()` answers.
    case streamed(any BodyConsumer)

    /// How much of a body nobody asked for is read and dropped before the request is refused.
    static let droppedBytesMax = 64 * 1024
}

package protocol BodyConsumer: AnyObject, Sendable {
    /// Takes decoded bytes. An error answers at once (its mapping) and closes the connection.
    func consume(_ bytes: UnsafeRawBufferPointer) throws
    /// The body is complete.
    func finish() throws -> Reply
    /// The body will not be completed: hang-up, deadline, limit.
    func cancelled()
}
