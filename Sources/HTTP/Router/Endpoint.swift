/// What answers one method at one place of the path.
final class Endpoint: Sendable {
    enum Action: Sendable {
        case route(Route)
        /// `OPTIONS`: 204 with this `Allow`.
        case options(allow: String)
    }

    let method: Method
    let pattern: String
    let capturesBytes: [Bool]
    let action: Action
    /// Its place in the router's list, for tables beside it (metrics).
    let index: Int

    init(method: Method, pattern: RoutePattern, action: Action, index: Int) {
        self.method = method
        self.pattern = pattern.text
        capturesBytes = pattern.capturesBytes
        self.action = action
        self.index = index
    }
}
