/// A row's pattern, taken apart once at start.
struct RoutePattern: Sendable {
    enum Segment: Sendable, Equatable {
        case literal([UInt8])
        /// `{name}`, or `{name}:verb`. A key is bytes, a colon included; names have none.
        case capture(verb: [UInt8]?, isKey: Bool)
    }

    let text: String
    let segments: [Segment]
    /// For each capture whether it may hold a NUL: keys are bytes, names are not.
    let capturesBytes: [Bool]

    init(_ text: String) {
        self.text = text
        precondition(text.hasPrefix("/"), "route pattern \(text) does not begin with a slash")
        var segments: [Segment] = []
        var capturesBytes: [Bool] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/")) {
            guard part.first == UInt8(ascii: "{") else {
                segments.append(.literal(Array(part)))
                continue
            }
            guard let close = part.firstIndex(of: UInt8(ascii: "}")) else {
                preconditionFailure("route pattern \(text) has an open brace")
            }
            let name = part[part.startIndex..<close].dropFirst()
            let rest = part[part.index(after: close)...]
            precondition(
                rest.isEmpty || rest.first == UInt8(ascii: ":"), "route pattern \(text): only :verb after }")
            let isKey = name.elementsEqual("key".utf8)
            segments.append(.capture(verb: rest.isEmpty ? nil : Array(rest), isKey: isKey))
            capturesBytes.append(isKey)
        }
        precondition(capturesBytes.count <= Captures.countMax, "route pattern \(text) has too many captures")
        self.segments = segments
        self.capturesBytes = capturesBytes
    }
}
