extension Router {
    /// Finds the endpoint of a raw target and decodes its captures.
    ///
    /// - Parameter method: nil for a method this server does not know: the result is then always an error.
    /// - Throws: `routeNotFound`, `methodNotAllowed`, `badPath`, `badPercentEncoding`.
    func match(
        _ method: Method?, _ target: UnsafeRawBufferPointer
    ) throws(HTTPFailure) -> (endpoint: Endpoint, parameters: [[UInt8]]) {
        var captures = Captures()
        let node = try walk(method, target, &captures)
        let endpoint = try node._withUnsafeGuaranteedRef { $0.endpoint(of: method) }.get()
        let parameters = try captures.decoded(from: target)
        for index in parameters.indices where !endpoint.capturesBytes[index] {
            if parameters[index].contains(0) {
                throw .badPath(detail: "a name in the path holds a NUL byte (%00)")
            }
        }
        return (endpoint, parameters)
    }

    /// One pass over the path, down the tree.
    private func walk(
        _ method: Method?, _ target: UnsafeRawBufferPointer, _ captures: inout Captures
    ) throws(HTTPFailure) -> RouteNode.Next {
        guard target.first == UInt8(ascii: "/") else { throw .badPath(detail: "a path begins with a slash") }
        var node = RouteNode.Next.passUnretained(root)
        var start = 1
        var index = 1
        var isEncoded = false
        while true {
            let byte = index < target.count ? target[index] : UInt8(ascii: "?")
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: "?"):
                let isEnd = byte == UInt8(ascii: "?")
                if isEnd && start == index {
                    // A slash at the end makes another path, one that no route has.
                    if start > 1 { throw .routeNotFound }
                    return node
                }
                try Self.refuseDots(UnsafeRawBufferPointer(rebasing: target[start..<index]))
                node = try node._withUnsafeGuaranteedRef {
                    Self.step(from: $0, target, start, index, isEncoded, method, &captures)
                }.get()
                if isEnd { return node }
                start = index + 1
                isEncoded = false
            case UInt8(ascii: "%"): isEncoded = true
            case 0...0x20, 0x7F:
                throw .badPath(detail: "a space or control byte in the path: percent-encode it")
            default: break
            }
            index += 1
        }
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
        from node: RouteNode, _ target: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ isEncoded: Bool,
        _ method: Method?, _ captures: inout Captures
    ) -> Result<RouteNode.Next, HTTPFailure> {
        let segment = UnsafeRawBufferPointer(rebasing: target[start..<end])
        if let literal = node.literal(segment) { return .success(literal) }
        if method == .post || !node.capturesKey, let (behind, length) = node.verb(segment) {
            captures.append(start, start + length, isEncoded: isEncoded)
            return .success(behind)
        }
        if isEncoded {
            guard let decoded = PercentCoding.decode(segment) else {
                return .failure(.badPercentEncoding(where: "path"))
            }
            // `%6Cogs` is `logs`, but a verb's colon must stand raw.
            if !decoded.contains(UInt8(ascii: ":")),
                let literal = decoded.withUnsafeBytes({ node.literal($0) })
            {
                return .success(literal)
            }
        }
        guard let next = node.capture else { return .failure(.routeNotFound) }
        captures.append(start, end, isEncoded: isEncoded)
        return .success(.passUnretained(next))
    }
}
