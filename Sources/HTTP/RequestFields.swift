import CMicroHTTPD

/// Where a request's header fields are read from.
enum RequestFields {
    case snapshot(HeaderSnapshot)
    /// The connection's own memory, valid while the request is being handled on its thread.
    case live(OpaquePointer)
    case gone

    func withValue<Result>(
        _ name: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result? {
        switch self {
        case .snapshot(let snapshot): return try snapshot.withValue(name, body)
        case .live(let connection):
            var value: UnsafePointer<CChar>?
            var count = 0
            let found = UnsafeRawPointer(name.utf8Start).withMemoryRebound(
                to: CChar.self, capacity: name.utf8CodeUnitCount
            ) {
                MHD_lookup_connection_value_n(
                    connection, .HEADER_KIND, $0, name.utf8CodeUnitCount, &value, &count)
            }
            guard found == .YES else { return nil }
            return try body(UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : count))
        case .gone: return nil
        }
    }

    /// The connection goes on to other things.
    mutating func release() {
        if case .live = self { self = .gone }
    }

    /// The same fields, independent of the connection.
    func kept() -> RequestFields {
        guard case .live(let connection) = self else { return self }
        var snapshot = HeaderSnapshot()
        withUnsafeMutablePointer(to: &snapshot) { snapshot in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameBytes, value, valueBytes in
                    context?.assumingMemoryBound(to: HeaderSnapshot.self).pointee.append(
                        name: UnsafeRawBufferPointer(start: name, count: nameBytes),
                        value: UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueBytes))
                    return .YES
                }, snapshot)
        }
        return .snapshot(snapshot)
    }
}
