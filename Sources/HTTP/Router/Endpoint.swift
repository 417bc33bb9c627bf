/// What answers one method at one place of the path.
final class Endpoint: Sendable {
    let method: Method
    let pattern: String
    /// Works with data: refused when there is no memory for requests.
    let needsMemory: Bool
    let capturesBytes: [Bool]
    let body: @Sendable (Request) throws -> BodyHandling
    let handler: @Sendable (Request) throws -> Reply
    /// Its place in the router's list, for tables beside it (metrics).
    let index: Int

    init(_ method: Method, _ pattern: RoutePattern, _ route: Route, index: Int) {
        self.method = method
        self.pattern = pattern.text
        needsMemory = pattern.text.hasPrefix("/v1/")
        capturesBytes = pattern.capturesBytes
        body = route.body
        handler = route.handler
        self.index = index
    }
}
