/// The one answer of a request that waits: fsync, long poll, a query. Decided exactly once between
/// completion, its deadline, the client's hang-up and the server's stop; whoever comes second is ignored.
package final class DeferredReply: Sendable {
    package enum Cancellation: Sendable { case hungUp, deadline, stopping }

    /// - Returns: false when it was already decided.
    @discardableResult
    package func complete(_ response: Response) -> Bool { fatalError("skeleton") }
    /// Answers with the mapping of the error.
    @discardableResult
    package func fail(_ error: any Error) -> Bool { fatalError("skeleton") }

    init() { fatalError("skeleton") }
}

extension Request {
    /// Makes the reply of this request one that comes later.
    ///
    /// - Parameters:
    ///   - deadlineMilliseconds: from now; when it passes first, `onCancel(.deadline)` is asked for the response.
    ///   - onCancel: called once, on a thread of the server's, when the wait ends without `complete`; it frees what
    ///     waits in the engine. Its response is sent for `.deadline` and `.stopping` (nil: 503) and dropped for `.hungUp`.
    package func deferReply(
        deadlineMilliseconds: Int64? = nil,
        onCancel: @escaping @Sendable (DeferredReply.Cancellation) -> Response?
    ) -> DeferredReply { fatalError("skeleton") }
}
