import JSON

/// What a bound's expression comes to, where it is plain enough to be read without DuckDB.
enum BoundLiteral: Equatable {
    /// An offset, or milliseconds.
    case value(Int64)
    /// Milliseconds and a part of one.
    case justAfter(Int64)
    /// `now() - INTERVAL …`.
    case beforeNow(milliseconds: Int64)

    func value(now: Int64) -> Int64? {
        switch self {
        case .value(let value), .justAfter(let value): return value
        case .beforeNow(let milliseconds):
            let (value, overflow) = now.subtractingReportingOverflow(milliseconds)
            return overflow ? nil : value
        }
    }
}

/// Reads the common forms of literals as DuckDB does, with UTC as its zone; all else is left to DuckDB.
struct BoundLiteralReader {
    private static let unitMilliseconds: [String: Int64] = [
        "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 7 * 86_400_000,
    ]

    let tree: SyntaxTree

    func offset(_ node: Int) -> BoundLiteral? { integer(node).map { .value($0) } }

    func instant(_ node: Int) -> BoundLiteral? {
        if let text = string(node) { return time(text, mayHaveZone: true) }
        switch tree.text("class", of: node) {
        case "CAST": return castTime(node)
        case "FUNCTION":
            let arguments = arguments(of: node)
            switch tree.text("function_name", of: node) {
            case "now" where arguments.isEmpty: return .beforeNow(milliseconds: 0)
            case "-" where arguments.count == 2:
                guard instant(arguments[0]) == .beforeNow(milliseconds: 0) else { return nil }
                return interval(arguments[1]).map { .beforeNow(milliseconds: $0) }
            default: return nil
            }
        default: return nil
        }
    }

    private func castTime(_ node: Int) -> BoundLiteral? {
        guard let text = tree.member("child", of: node).flatMap(string) else { return nil }
        switch type(node) {
        case "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE": return time(text, mayHaveZone: true)
        case "TIMESTAMP": return time(text, mayHaveZone: false)
        default: return nil
        }
    }

    /// `2026-01-01`, `2026-01-01 02:00:00.5`, `2026-01-01T02:00:00+01`. What DuckDB refuses is none: a second 60, a zone
    /// farther off than there are, a year 0.
    private func time(_ text: String, mayHaveZone: Bool) -> BoundLiteral? {
        let form =
            /((?!0000)\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d:[0-5]\d)(\.\d{1,6})?(Z|[+-](?:0\d|1[0-4])(?::\d\d)?)?)?/
        guard let match = try? form.wholeMatch(in: text) else {
            // Matching this form never throws.
            return nil
        }
        guard mayHaveZone || match.4 == nil else { return nil }
        let zone = match.4.map { $0.utf8.count == 3 ? "\($0):00" : String($0) } ?? "Z"
        let fraction = match.3 ?? ""
        let value = Timestamps.parseRFC3339("\(match.1)T\(match.2 ?? "00:00:00")\(fraction)\(zone)")
        let isWhole = fraction.utf8.dropFirst(4).allSatisfy { $0 == UInt8(ascii: "0") }
        return value.map { isWhole ? .value($0) : .justAfter($0) }
    }

    /// `INTERVAL '5 minutes'`, `INTERVAL 5 MINUTE`.
    private func interval(_ node: Int) -> Int64? {
        let (count, unit): (Int64?, Substring)
        if tree.text("class", of: node) == "CAST", type(node) == "INTERVAL" {
            let words = (tree.member("child", of: node).flatMap(string) ?? "").split(separator: " ")
            guard words.count == 2 else { return nil }
            (count, unit) = (Int64(words[0]), words[1])
        } else if let name = tree.text("function_name", of: node), name.hasPrefix("to_") {
            let arguments = arguments(of: node)
            guard arguments.count == 1 else { return nil }
            (count, unit) = (castInteger(arguments[0]), name.dropFirst(3))
        } else {
            return nil
        }
        let singular = unit.hasSuffix("s") ? unit.dropLast() : unit
        // More is no interval of DuckDB's.
        guard let count, (0...1_000_000_000).contains(count),
            let milliseconds = Self.unitMilliseconds[singular.lowercased()]
        else { return nil }
        return count * milliseconds
    }

    /// An integer below the casts that DuckDB writes around a number before a unit.
    private func castInteger(_ node: Int) -> Int64? {
        var node = node
        while true {
            if let value = integer(node) ?? string(node).flatMap({ Int64($0) }) { return value }
            if tree.text("class", of: node) == "CAST", let child = tree.member("child", of: node) {
                guard ["BIGINT", "DOUBLE", "INTEGER"].contains(type(node)) else { return nil }
                node = child
            } else if tree.text("function_name", of: node) == "trunc", arguments(of: node).count == 1 {
                node = arguments(of: node)[0]
            } else {
                return nil
            }
        }
    }

    private func arguments(of node: Int) -> [Int] {
        guard let list = tree.member("arguments", of: node) else { return [] }
        return tree.nodes[list].children.map { tree.member("expression", of: $0) ?? $0 }
    }

    private func type(_ node: Int) -> String {
        tree.member("type_expr", of: node).flatMap { tree.text("type_name", of: $0) }?.uppercased() ?? ""
    }

    private func string(_ node: Int) -> String? { literal(node, of: "STRING") }
    private func integer(_ node: Int) -> Int64? { literal(node, of: "INTEGER").flatMap { Int64($0) } }

    private func literal(_ node: Int, of kind: String) -> String? {
        guard tree.text("class", of: node) == "CONSTANT", let literal = tree.member("literal", of: node),
            tree.text("kind", of: literal) == kind
        else { return nil }
        return tree.text("text", of: literal)
    }
}
