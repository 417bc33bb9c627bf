extension Router {
    /// Finds the endpoint of a raw target and decodes its captures.
    ///
    /// - Parameter method: nil for a method this server does not know: the result is then always an error.
    /// - Throws: `routeNotFound`, `methodNotAllowed`, `badPath`, `badPercentEncoding`.
    func match(
        _ method: Method?, _ target: UnsafeRawBufferPointer
    ) throws(HTTPFailure) -> (endpoint: Endpoint, parameters: [[UInt8]]) {
        let pathEnd = try Self.pathEnd(of: target)
        var node = root
        var parameters: [[UInt8]] = []
        var start = 1
        while start < pathEnd {
            var end = start
            var isEncoded = false
            while end < pathEnd && target[end] != UInt8(ascii: "/") {
                if target[end] == UInt8(ascii: "%") { isEncoded = true }
                end += 1
            }
            let segment = UnsafeRawBufferPointer(rebasing: target[start..<end])
            try Self.refuseDots(segment)
            node = try Self.step(from: node, over: segment, isEncoded: isEncoded, method, &parameters)
            // A slash at the end makes another path, one that no route has.
            if end == pathEnd - 1 { throw .routeNotFound }
            start = end + 1
        }
        guard node.isEnd else { throw .routeNotFound }
        guard let method, let endpoint = node.endpoints[method.index] else {
            throw .methodNotAllowed(allow: node.allow)
        }
        for index in parameters.indices where !endpoint.capturesBytes[index] && parameters[index].contains(0)
        {
            throw .badPath(detail: "a name in the path holds a NUL byte (%00)")
        }
        return (endpoint, parameters)
    }

    /// The length of the path; the query, if any, begins behind it.
    private static func pathEnd(of target: UnsafeRawBufferPointer) throws(HTTPFailure) -> Int {
        guard target.first == UInt8(ascii: "/") else { throw .badPath(detail: "a path begins with a slash") }
        var end = 0
        while end < target.count && target[end] != UInt8(ascii: "?") {
            if target[end] <= 0x20 || target[end] == 0x7F {
                throw .badPath(detail: "a space or control byte in the path: percent-encode it")
            }
            end += 1
        }
        return end
    }

    private static func refuseDots(_ segment: UnsafeRawBufferPointer) throws(HTTPFailure) {
        let dot = UInt8(ascii: ".")
        switch segment.count {
        case 0: throw .badPath(detail: "an empty segment (//) in the path; a slash inside a key is %2F")
        case 1 where segment[0] == dot: throw .badPath(detail: "a . segment in the path; as a key it is %2E")
        case 2 where segment[0] == dot && segment[1] == dot:
            throw .badPath(detail: "a .. segment in the path; as a key it is %2E%2E")
        default: return
        }
    }

    /// One segment further down the tree.
    private static func step(
        from node: RouteNode, over segment: UnsafeRawBufferPointer, isEncoded: Bool, _ method: Method?,
        _ parameters: inout [[UInt8]]
    ) throws(HTTPFailure) -> RouteNode {
        if let literal = node.literal(segment) { return literal }
        if method == .post || node.capture == nil, let (behind, length) = node.verb(segment) {
            parameters.append(try decoded(UnsafeRawBufferPointer(rebasing: segment[..<length]), isEncoded))
            return behind
        }
        let capture = try decoded(segment, isEncoded)
        // `%6Cogs` is `logs`, but a verb's colon must stand raw.
        if isEncoded, !capture.contains(UInt8(ascii: ":")),
            let literal = capture.withUnsafeBytes({ node.literal($0) })
        {
            return literal
        }
        guard let next = node.capture else { throw .routeNotFound }
        parameters.append(capture)
        return next
    }

    private static func decoded(
        _ segment: UnsafeRawBufferPointer, _ isEncoded: Bool
    ) throws(HTTPFailure) -> [UInt8] {
        guard isEncoded else { return Array(segment) }
        guard let bytes = PercentCoding.decode(segment) else { throw .badPercentEncoding(where: "path") }
        return bytes
    }
}
