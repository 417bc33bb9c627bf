/// A place in the tree of paths. A literal segment wins over a capture; there is no way back once it matched.
final class RouteNode: Sendable {
    /// Where a literal's bytes are in `names`. Plain numbers: walking them touches no reference count.
    struct Name: Sendable {
        let start: Int
        let count: Int
    }

    private let names: [UInt8]
    private let literalNames: [Name]
    private let verbNames: [Name]
    /// Reached by a segment's exact bytes.
    private let literals: [RouteNode]
    /// Reached by a segment that ends in `:verb`; where a key may end so, for `POST` only.
    private let verbs: [RouteNode]
    /// Reached by any other segment.
    let capture: RouteNode?
    let capturesKey: Bool
    /// A slot a method; nil everywhere when no route ends here.
    let endpoints: [Endpoint?]
    let allow: String

    /// - Parameter rows: routes below this place, each with the segments that are left of its pattern.
    init(
        _ rows: [(segments: ArraySlice<RoutePattern.Segment>, pattern: RoutePattern, route: Route)],
        register: (Method, RoutePattern, Route) -> Endpoint
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
        var names: [UInt8] = []
        var literals: [(name: Name, node: RouteNode)] = []
        var verbs: [(name: Name, node: RouteNode)] = []
        var capture: RouteNode?
        var capturesKey = false
        for (segment, group) in zip(order, groups) {
            let node = RouteNode(group, register: register)
            switch segment {
            case .literal(let name):
                literals.append((Name(start: names.count, count: name.count), node))
                names += name
            case .capture(verb: let verb?, _):
                verbs.append((Name(start: names.count, count: verb.count), node))
                names += verb
            case .capture(verb: nil, let isKey):
                capture = node
                capturesKey = isKey
            }
        }
        self.names = names
        literalNames = literals.map(\.name)
        self.literals = literals.map(\.node)
        verbNames = verbs.map(\.name)
        self.verbs = verbs.map(\.node)
        self.capture = capture
        self.capturesKey = capturesKey
    }

    /// The next place, not retained: the tree lives as long as its router, and its nodes are shared by all event loops.
    typealias Next = Unmanaged<RouteNode>

    func literal(_ segment: UnsafeRawBufferPointer) -> Next? {
        for (index, name) in literalNames.enumerated()
        where name.count == segment.count && ends(segment, with: name) {
            return .passUnretained(literals[index])
        }
        return nil
    }

    /// - Returns: the place behind the verb that `segment` ends in, and the length of what stands before it.
    func verb(_ segment: UnsafeRawBufferPointer) -> (node: Next, captureLength: Int)? {
        for (index, name) in verbNames.enumerated()
        where name.count < segment.count && ends(segment, with: name) {
            return (.passUnretained(verbs[index]), segment.count - name.count)
        }
        return nil
    }

    private func ends(_ segment: UnsafeRawBufferPointer, with name: Name) -> Bool {
        let start = segment.count - name.count
        for index in 0..<name.count where segment[start + index] != names[name.start + index] { return false }
        return true
    }

    /// What answers a method here.
    func endpoint(of method: Method?) -> Result<Endpoint, HTTPFailure> {
        if allow.isEmpty { return .failure(.routeNotFound) }
        guard let method, let endpoint = endpoints[method.index] else {
            return .failure(.methodNotAllowed(allow: allow))
        }
        return .success(endpoint)
    }

    private static func slots(
        _ here: [(segments: ArraySlice<RoutePattern.Segment>, pattern: RoutePattern, route: Route)],
        register: (Method, RoutePattern, Route) -> Endpoint
    ) -> ([Endpoint?], allow: String) {
        var slots = [Endpoint?](repeating: nil, count: Method.allCases.count)
        guard let pattern = here.first?.pattern else { return (slots, "") }
        for row in here {
            precondition(
                slots[row.route.method.index] == nil,
                "two routes for \(row.route.method.rawValue) \(row.pattern.text)")
            slots[row.route.method.index] = register(row.route.method, row.pattern, row.route)
        }
        if let get = here.first(where: { $0.route.method == .get }), slots[Method.head.index] == nil {
            slots[Method.head.index] = register(.head, get.pattern, get.route)
        }
        let allowed = Method.allCases.filter { slots[$0.index] != nil || $0 == .options }
        let allow = allowed.map(\.rawValue).joined(separator: ", ")
        if slots[Method.options.index] == nil {
            let options = Route(.options, pattern.text) { _ in
                .now(Response(status: 204, fields: [HeaderField("Allow", allow)]))
            }
            slots[Method.options.index] = register(.options, pattern, options)
        }
        return (slots, allow)
    }
}
