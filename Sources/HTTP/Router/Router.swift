import Platform

/// Matches raw paths against the route table and runs handlers. Knows no socket.
package final class Router: Sendable {
    let root: RouteNode
    let endpoints: [Endpoint]
    private let problem: @Sendable (any Error, Request?) -> Response

    /// - Parameters:
    ///   - problem: the one mapping from any error to a response, `Routes`' own.
    package init(routes: [Route], problem: @escaping @Sendable (any Error, Request?) -> Response) {
        var endpoints: [Endpoint] = []
        let rows = routes.map { route in
            let pattern = RoutePattern(route.pattern)
            return (segments: pattern.segments[...], pattern: pattern, route: route)
        }
        root = RouteNode(rows) { method, pattern, route in
            let endpoint = Endpoint(method, pattern, route, index: endpoints.count)
            endpoints.append(endpoint)
            return endpoint
        }
        self.endpoints = endpoints
        self.problem = problem
    }

    func response(to error: any Error, _ request: Request?) -> Response {
        var response = problem(error, request)
        if case HTTPFailure.methodNotAllowed(let allow) = error,
            !response.fields.contains(where: { "\($0.name)" == "Allow" })
        {
            response.fields.append(HeaderField("Allow", allow))
        }
        return response
    }
}
