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

    /// The same, after a check before the body and before the answer.
    package func guarded(_ check: @escaping @Sendable (Request) throws -> Void) -> Route {
        let (body, handler) = (body, handler)
        return Route(
            method, pattern,
            body: { request in
                try check(request)
                return try body(request)
            },
            { request in
                try check(request)
                return try handler(request)
            })
    }
}
