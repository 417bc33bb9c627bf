import JSON

/// A refusal of a query, with its place shown where the server says one:
///
///     pyralog: The query is not valid: Parser Error: syntax error at or near "FORM"
///     line 2: FORM events
///             ^
struct SQLProblem: Error, CustomStringConvertible {
    let description: String

    /// - Parameter columns: of the terminal; longer lines are cut around the place.
    init(_ problem: ServerProblem, in query: String, columns: Int?) {
        var text = problem.description
        if problem.document["code"]?.stringValue == "query_error",
            let position = problem.document["position"]?.integerValue,
            let excerpt = Self.excerpt(query, at: Int(position), columns: columns ?? 160)
        {
            text += "\n" + excerpt
        }
        description = text
    }

    /// - Parameter position: in bytes from 0.
    private static func excerpt(_ query: String, at position: Int, columns: Int) -> String? {
        let bytes = Array(query.utf8)
        guard bytes.indices.contains(position) else { return nil }
        let start = bytes[..<position].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let end = bytes[position...].firstIndex(of: 0x0A) ?? bytes.count
        let number = bytes[..<start].count { $0 == 0x0A } + 1
        let isOnlyLine = !query.utf8.contains(0x0A)
        let label = isOnlyLine ? "" : "line \(number): "
        var before = CellText.printable(String(decoding: bytes[start..<position], as: UTF8.self))
        var after = CellText.printable(String(decoding: bytes[position..<end], as: UTF8.self))
        let room = max(20, columns - label.count)
        if CellText.width(before) + CellText.width(after) > room {
            before = String(CellText.cut(String(before.reversed()), to: room * 2 / 3).reversed())
            after = CellText.cut(after, to: max(1, room - CellText.width(before)))
        }
        let indent = String(repeating: " ", count: label.count + CellText.width(before))
        return "\(label)\(before)\(after)\n\(indent)^"
    }
}
