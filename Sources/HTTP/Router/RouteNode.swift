/// A place in the tree of paths. A literal segment wins over a capture; there is no way back once it matched.
final class RouteNode: Sendable {
    /// Reached by a segment's exact bytes.
    let literals: [(name: [UInt8], node: RouteNode)]
    /// Reached by any other segment.
    let capture: RouteNode?
    /// Reached by a segment that ends in `:verb`, for `POST` only.
    let verbs: [(name: [UInt8], node: RouteNode)]
    /// A slot a method; nil everywhere when no route ends here.
    let endpoints: [Endpoint?]
    let allow: String

    /// - Parameter rows: routes below this place, each with the segments that are left of its pattern.
    init(
        _ rows: [(segments: ArraySlice<RoutePattern.Segment>, pattern: RoutePattern, route: Route)],
        register: (Method, RoutePattern, Endpoint.Action) -> Endpoint
    ) {
        typealias Row = (segments: ArraySlice<RoutePattern.Segment>, pattern: RoutePattern, route: Route)
        var order: [RoutePattern.Segment] = []
        var groups: [[Row]] = []
        var here: [Row] = []
        for row in rows {
            guard let first = row.segments.first else {
                here.append(row)
                continue
            }
            let rest: Row = (row.segments.dropFirst(), row.pattern, row.route)
            if let known = order.firstIndex(of: first) {
                groups[known].append(rest)
            } else {
                order.append(first)
                groups.append([rest])
            }
        }
        (endpoints, allow) = Self.slots(here, register: register)
        var literals: [(name: [UInt8], node: RouteNode)] = []
        var verbs: [(name: [UInt8], node: RouteNode)] = []
        var capture: RouteNode?
        for (segment, group) in zip(order, groups) {
            let node = RouteNode(group, register: register)
            switch segment {
            case .literal(let name): literals.append((name, node))
            case .capture(verb: let verb?): verbs.append((verb, node))
            case .capture(verb: nil): capture = node
            }
        }
        self.literals = literals
        self.verbs = verbs
        self.capture = capture
    }

    var isEnd: Bool { !allow.isEmpty }

    private static func slots(
        _ here: [(segments: ArraySlice<RoutePattern.Segment>, pattern: RoutePattern, route: Route)],
        register: (Method, RoutePattern, Endpoint.Action) -> Endpoint
    ) -> ([Endpoint?], allow: String) {
        var slots = [Endpoint?](repeating: nil, count: Method.allCases.count)
        guard let pattern = here.first?.pattern else { return (slots, "") }
        for row in here {
            precondition(
                slots[row.route.method.index] == nil,
                "two routes for \(row.route.method.rawValue) \(row.pattern.text)")
            slots[row.route.method.index] = register(row.route.method, row.pattern, .route(row.route))
        }
        if let get = here.first(where: { $0.route.method == .get }), slots[Method.head.index] == nil {
            slots[Method.head.index] = register(.head, get.pattern, .route(get.route))
        }
        let allowed = Method.allCases.filter { slots[$0.index] != nil || $0 == .options }
        let allow = allowed.map(\.rawValue).joined(separator: ", ")
        if slots[Method.options.index] == nil {
            slots[Method.options.index] = register(.options, pattern, .options(allow: allow))
        }
        return (slots, allow)
    }
}
