/// A query's text, with `EXPLAIN` and its options taken off: what is behind them is judged, and runs behind options that
/// are written anew. So what runs is what was judged, however DuckDB would have read the beginning.
struct StatementText: Equatable {
    /// To be judged.
    private(set) var query: String
    /// `EXPLAIN …` as it runs, or nothing.
    let explanation: String
    /// Where `query` begins in the client's text, in bytes.
    let queryStart: Int

    var isExplain: Bool { !explanation.isEmpty }
    /// What runs.
    var text: String { explanation + query }

    /// A place in `text` as one in the client's text.
    func clientPosition(_ position: Int) -> Int { max(0, position - explanation.utf8.count + queryStart) }

    /// With another query that has everything in the same places.
    func with(query: String) -> Self {
        var text = self
        text.query = query
        return text
    }

    private static let formats: Set<String> = ["graphviz", "html", "json", "mermaid", "text", "yaml"]

    init(_ text: String) throws(SQLFailure) {
        var scanner = WordScanner(text)
        guard scanner.takeWord() == "explain" else {
            query = text
            explanation = ""
            queryStart = 0
            return
        }
        var options: [String] = []
        let behindExplain = scanner
        if scanner.takeWord() == "analyze" { options.append("ANALYZE") } else { scanner = behindExplain }
        if let format = try Self.format(&scanner) { options.append("FORMAT \(format)") }
        explanation = options.isEmpty ? "EXPLAIN " : "EXPLAIN (\(options.joined(separator: ", "))) "
        query = String(scanner.rest)
        queryStart = text.utf8.count - query.utf8.count
    }

    /// `(FORMAT json)`; nil for a query in parentheses.
    private static func format(_ scanner: inout WordScanner) throws(SQLFailure) -> String? {
        var ahead = scanner
        guard ahead.take("("), ahead.takeWord() == "format" else { return nil }
        guard let format = ahead.takeWord(), formats.contains(format), ahead.take(")") else {
            throw .refused("EXPLAIN takes (FORMAT \(formats.sorted().joined(separator: "|")))")
        }
        scanner = ahead
        return format
    }
}

/// Words and brackets, with blanks and comments between them passed over.
private struct WordScanner {
    private(set) var rest: Substring.UnicodeScalarView

    init(_ text: String) {
        rest = text[...].unicodeScalars
        skipBlanks()
    }

    /// In lower case; nil where none begins.
    mutating func takeWord() -> String? {
        let word = rest.prefix { $0.isASCII && ($0.properties.isAlphabetic || $0 == "_") }
        guard !word.isEmpty else { return nil }
        rest = rest[word.endIndex...]
        skipBlanks()
        return String(word).lowercased()
    }

    mutating func take(_ bracket: Unicode.Scalar) -> Bool {
        guard rest.first == bracket else { return false }
        rest.removeFirst()
        skipBlanks()
        return true
    }

    private mutating func skipBlanks() {
        while let first = rest.first {
            if first.properties.isWhitespace {
                rest.removeFirst()
            } else if rest.starts(with: "--".unicodeScalars) {
                rest = rest[(rest.firstIndex { $0 == "\n" || $0 == "\r" } ?? rest.endIndex)...]
            } else if rest.starts(with: "/*".unicodeScalars) {
                skipComment()
            } else {
                return
            }
        }
    }

    /// Comments nest.
    private mutating func skipComment() {
        var depth = 0
        repeat {
            if rest.starts(with: "/*".unicodeScalars) {
                depth += 1
                rest.removeFirst(2)
            } else if rest.starts(with: "*/".unicodeScalars) {
                depth -= 1
                rest.removeFirst(2)
            } else {
                rest.removeFirst()
            }
        } while depth > 0 && !rest.isEmpty
    }
}
