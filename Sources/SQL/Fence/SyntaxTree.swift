import JSON
import Platform

/// A statement as DuckDB parsed it (`json_serialize_sql`), flat: expressions may nest a thousand deep, and nothing here
/// recurses.
struct SyntaxTree {
    enum Content: Equatable {
        case object
        case array
        case string(String)
        /// A number, true, false or null.
        case other
    }

    struct Node {
        /// Its name in the object around it; nil in arrays.
        let key: String?
        let parent: Int?
        var content: Content
        var children: [Int] = []
        /// Its bytes in the text.
        var range: Range<Int>
    }

    private(set) var nodes: [Node] = []
    private let bytes: [UInt8]

    /// - Parameter text: valid JSON, from DuckDB.
    init(_ text: String) {
        bytes = Array(text.utf8)
        var scanner = TreeScanner(bytes)
        var open: [Int] = []
        var key: String?
        while let token = scanner.next() {
            switch token {
            case .string(let value)
            where key == nil && open.last.map { nodes[$0].content == .object } ?? false:
                key = value
                continue
            case .endOfContainer:
                if let closed = open.popLast() {
                    nodes[closed].range = nodes[closed].range.lowerBound..<scanner.position
                }
                continue
            case .beginObject, .beginArray, .string, .other: break
            }
            let content: Content =
                switch token {
                case .beginObject: .object
                case .beginArray: .array
                case .string(let value): .string(value)
                case .other, .endOfContainer: .other
                }
            let index = nodes.count
            nodes.append(
                Node(
                    key: key, parent: open.last, content: content,
                    range: scanner.tokenStart..<scanner.position))
            if let parent = open.last { nodes[parent].children.append(index) }
            key = nil
            if content == .object || content == .array { open.append(index) }
        }
    }

    /// A member of an object.
    func member(_ key: String, of node: Int) -> Int? {
        nodes[node].children.first { nodes[$0].key == key }
    }

    func text(_ key: String, of node: Int) -> String? {
        guard let member = member(key, of: node), case .string(let text) = nodes[member].content else {
            return nil
        }
        return text
    }

    /// A number that is a place in the text; nil for DuckDB's "nowhere", which no `Int` holds.
    func integer(_ key: String, of node: Int) -> Int? {
        member(key, of: node).flatMap { Int(source(of: $0)) }
    }

    /// The JSON of a node, as DuckDB wrote it.
    func source(of node: Int) -> String { String(decoding: bytes[nodes[node].range], as: UTF8.self) }

    /// What stands before and behind a node.
    func surroundings(of node: Int) -> (before: String, behind: String) {
        let range = nodes[node].range
        return (
            String(decoding: bytes[..<range.lowerBound], as: UTF8.self),
            String(decoding: bytes[range.upperBound...], as: UTF8.self)
        )
    }

    /// A node and everything in it, in order.
    func subtree(of node: Int) -> [Int] {
        let end = nodes[node].range.upperBound
        return Array(nodes[node...].indices.prefix { nodes[$0].range.lowerBound < end })
    }

    /// Names of common table expressions. Where one is out of its scope, DuckDB knows no such table.
    var commonTableNames: Set<ExactString> {
        Set(
            nodes.indices.filter { nodes[$0].key == "cte_map" }.flatMap { map in
                member("map", of: map).map { nodes[$0].children } ?? []
            }.compactMap { text("key", of: $0)?.identifier })
    }

    /// Where an expression and all that is in it stand in the statement's text, in bytes; nil where DuckDB does not say.
    func place(of node: Int) -> Range<Int>? {
        let parts = subtree(of: node).compactMap { part -> Range<Int>? in
            guard let start = integer("query_location", of: part),
                let count = integer("query_location_length", of: part), count > 0
            else { return nil }
            return start..<start + count
        }
        guard let start = parts.map(\.lowerBound).min(), let end = parts.map(\.upperBound).max() else {
            return nil
        }
        return start..<end
    }

    /// It is part of an expression, such as a query in parentheses in a list of columns.
    func isInSubquery(_ node: Int) -> Bool {
        var next = nodes[node].parent
        while let node = next {
            if text("class", of: node) == "SUBQUERY" { return true }
            next = nodes[node].parent
        }
        return false
    }

    /// The same statement, wherever its parts stand in its text, with `true` in place of some of its nodes.
    func isSame(as other: SyntaxTree, withTrueFor replaced: Set<Int>) -> Bool {
        var (own, its) = (0, 0)
        while own < nodes.count, its < other.nodes.count {
            guard nodes[own].key == other.nodes[its].key else { return false }
            if replaced.contains(own) {
                guard other.isTrue(its) else { return false }
                own += subtree(of: own).count
                its += other.subtree(of: its).count
                continue
            }
            guard nodes[own].content == other.nodes[its].content,
                nodes[own].children.count == other.nodes[its].children.count,
                nodes[own].content != .other || source(of: own) == other.source(of: its)
                    || nodes[own].key?.hasPrefix("query_location") ?? false
            else { return false }
            own += 1
            its += 1
        }
        return own == nodes.count && its == other.nodes.count
    }

    private func isTrue(_ node: Int) -> Bool {
        guard text("class", of: node) == "CONSTANT", let literal = member("literal", of: node) else {
            return false
        }
        return text("kind", of: literal) == "BOOLEAN" && text("text", of: literal) == "true"
    }

    /// The texts of an array member.
    func texts(_ key: String, of node: Int) -> [String] {
        guard let member = member(key, of: node) else { return [] }
        return nodes[member].children.compactMap { child in
            if case .string(let text) = nodes[child].content { text } else { nil }
        }
    }
}

/// The tokens of JSON that is known to be well formed.
private struct TreeScanner {
    enum Token {
        case beginObject, beginArray, endOfContainer
        case string(String)
        case other
    }

    private let bytes: [UInt8]
    private(set) var position = 0
    private(set) var tokenStart = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func next() -> Token? {
        while position < bytes.count {
            let byte = bytes[position]
            tokenStart = position
            position += 1
            switch byte {
            case UInt8(ascii: "{"): return .beginObject
            case UInt8(ascii: "["): return .beginArray
            case UInt8(ascii: "}"), UInt8(ascii: "]"): return .endOfContainer
            case UInt8(ascii: "\""): return .string(string())
            case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: " "), UInt8(ascii: "\n"): continue
            default:
                skipLiteral()
                return .other
            }
        }
        return nil
    }

    private mutating func skipLiteral() {
        let ends = Array(",]} \n".utf8)
        while position < bytes.count, !ends.contains(bytes[position]) { position += 1 }
    }

    /// From behind the opening quote.
    private mutating func string() -> String {
        let start = position
        var isEscaped = false
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            if bytes[position] == UInt8(ascii: "\\") {
                isEscaped = true
                position += 1
            }
            position += 1
        }
        let content = bytes[min(start, bytes.count)..<min(position, bytes.count)]
        position += 1
        guard isEscaped else { return String(decoding: content, as: UTF8.self) }
        let quoted = [UInt8(ascii: "\"")] + content + [UInt8(ascii: "\"")]
        // Text that Jansson refuses (a NUL, say) stays as it is written: no name that matters has one.
        let value = try? quoted.withUnsafeBytes { try ControlJSON.parse($0) }
        guard case .string(let text)? = value else { return String(decoding: content, as: UTF8.self) }
        return text
    }
}
