/// The text of a query, as far as it has to be known before DuckDB parses it.
struct StatementText {
    /// Without `EXPLAIN` and its options.
    let explained: String
    let isExplain: Bool

    init(_ text: String) {
        var scanner = WordScanner(text)
        guard scanner.takeWord("explain") else {
            explained = text
            isExplain = false
            return
        }
        _ = scanner.takeWord("analyze")
        scanner.takeParentheses()
        explained = String(scanner.rest)
        isExplain = true
    }
}

private struct WordScanner {
    private(set) var rest: Substring

    init(_ text: String) {
        rest = text[...]
        skipBlanks()
    }

    private mutating func skipBlanks() {
        while let first = rest.first {
            if first.isWhitespace {
                rest.removeFirst()
            } else if rest.hasPrefix("--") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                skipComment()
            } else {
                return
            }
        }
    }

    private mutating func skipComment() {
        var previous: Character?
        rest.removeFirst(2)
        while let character = rest.popFirst() {
            if previous == "*", character == "/" { return }
            previous = character
        }
    }

    mutating func takeWord(_ word: String) -> Bool {
        let found = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        guard found.lowercased() == word else { return false }
        rest = rest[found.endIndex...]
        skipBlanks()
        return true
    }

    /// Options never hold parentheses of their own.
    mutating func takeParentheses() {
        let inside = rest.drop { $0 != ")" }
        guard rest.first == "(", !inside.isEmpty, isOptionList(rest[rest.startIndex..<inside.startIndex])
        else {
            return
        }
        rest = inside.dropFirst()
        skipBlanks()
    }

    /// `(FORMAT json)`, not a query in parentheses.
    private func isOptionList(_ text: Substring) -> Bool {
        let words = text.dropFirst().split { !$0.isLetter && $0 != "_" }.map { $0.lowercased() }
        return ["format", "analyze"].contains(words.first)
    }
}
