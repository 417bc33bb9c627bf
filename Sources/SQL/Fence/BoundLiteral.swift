import JSON
import Platform

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
            guard let arguments = plainArguments(of: node) else { return nil }
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
        case "timestamptz", "timestamp with time zone": return time(text, mayHaveZone: true)
        case "timestamp": return time(text, mayHaveZone: false)
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
        if type(node) == "interval" {
            let words = (tree.member("child", of: node).flatMap(string) ?? "").split(separator: " ")
            guard words.count == 2 else { return nil }
            (count, unit) = (digits(String(words[0])), words[1])
        } else if let name = tree.text("function_name", of: node), name.hasPrefix("to_"),
            let arguments = plainArguments(of: node), arguments.count == 1
        {
            unit = name.dropFirst(3)
            count = self.count(arguments[0], of: unit)
        } else {
            return nil
        }
        let name = String(unit).identifier.text
        let singular = name.hasSuffix("s") ? String(name.dropLast()) : name
        // More is no interval of DuckDB's.
        guard let count, (0...1_000_000_000).contains(count),
            let milliseconds = Self.unitMilliseconds[singular]
        else { return nil }
        return count * milliseconds
    }

    /// A constant, as it is or in what DuckDB writes around one before a unit: `CAST(5 AS DOUBLE)`, and of units that are
    /// counted in whole numbers `CAST(trunc(CAST(5 AS DOUBLE)) AS BIGINT)`.
    private func count(_ node: Int, of unit: Substring) -> Int64? {
        if let value = integer(node) { return value }
        guard unit != "seconds" else { return double(node) }
        guard ["bigint", "integer"].contains(type(node)), let whole = tree.member("child", of: node),
            tree.text("function_name", of: whole) == "trunc", let arguments = plainArguments(of: whole),
            arguments.count == 1
        else { return nil }
        return double(arguments[0])
    }

    private func double(_ node: Int) -> Int64? {
        guard type(node) == "double", let child = tree.member("child", of: node) else { return nil }
        return integer(child) ?? string(child).flatMap(digits)
    }

    private func digits(_ text: String) -> Int64? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int64(text) : nil
    }

    /// Of a call that has no more than them.
    private func plainArguments(of node: Int) -> [Int]? {
        func isNone(_ key: String, of node: Int) -> Bool {
            tree.member(key, of: node).map { ["null", "false", "\"\""].contains(tree.source(of: $0)) } ?? true
        }
        let orders = tree.member("order_bys", of: node).flatMap { tree.member("orders", of: $0) }
        guard isNone("filter", of: node), isNone("distinct", of: node), isNone("schema", of: node),
            orders.map({ tree.nodes[$0].children.isEmpty }) ?? true,
            let list = tree.member("arguments", of: node)
        else { return nil }
        let arguments = tree.nodes[list].children
        return arguments.allSatisfy { isNone("name", of: $0) }
            ? arguments.map { tree.member("expression", of: $0) ?? $0 } : nil
    }

    /// What a cast casts to, in lower case, where that is a name and no more; nothing of what is no cast.
    private func type(_ node: Int) -> String {
        guard tree.text("class", of: node) == "CAST", let type = tree.member("type_expr", of: node),
            tree.member("children", of: type).map({ tree.nodes[$0].children.isEmpty }) ?? true,
            tree.text("schema", of: type) ?? "" == "", tree.text("catalog", of: type) ?? "" == ""
        else { return "" }
        return tree.text("type_name", of: type)?.identifier.text ?? ""
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
