import CDuckDB

/// What DuckDB, or the search for it, said went wrong.
package enum DuckDBFailure: Error, Sendable, Equatable {
    /// No library could be loaded: the places tried, each with its reason.
    case unavailable([String])
    case query(DuckDBError)

    package var message: String {
        switch self {
        case .unavailable(let places): places.joined(separator: "; ")
        case .query(let error): error.message
        }
    }
}

package struct DuckDBError: Sendable, Equatable {
    /// DuckDB's own words, without the excerpt of the text.
    package let message: String
    /// Where in the text, in bytes from 0, when DuckDB says so.
    package let position: Int?
    package let isInterrupt: Bool
    package let isOutOfMemory: Bool

    /// DuckDB marks the place by the line's text and a caret below it:
    /// `message`, an empty line, `LINE 2: … text`, and spaces before `^`.
    init(_ text: String, in statement: String) {
        isInterrupt = text.hasPrefix("INTERRUPT Error")
        isOutOfMemory = text.hasPrefix("Out of Memory Error")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let mark = lines.firstIndex(where: { $0.hasPrefix("LINE ") }), mark + 1 < lines.count else {
            message = text
            position = nil
            return
        }
        message = lines[..<mark].joined(separator: "\n").trimmingTrailingNewlines
        position = Self.position(lines[mark], caret: lines[mark + 1], in: statement)
    }

    private static func position(_ excerpt: Substring, caret: Substring, in statement: String) -> Int? {
        guard let colon = excerpt.firstIndex(of: ":"),
            let line = Int(excerpt[..<colon].dropFirst("LINE ".count)), line > 0,
            let column = caret.firstIndex(of: "^").map({ caret.distance(from: caret.startIndex, to: $0) })
        else { return nil }
        let prefix = excerpt.distance(from: excerpt.startIndex, to: colon) + 2
        var shown = excerpt.dropFirst(prefix)
        guard column >= prefix else { return nil }
        var characters = column - prefix
        // A long line is cut at both ends.
        if shown.hasPrefix("...") {
            shown = shown.dropFirst(3)
            characters -= 3
        }
        if shown.hasSuffix("...") { shown = shown.dropLast(3) }
        guard characters >= 0 else { return nil }
        let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
        guard line <= lines.count, let start = lines[line - 1].range(of: shown) else { return nil }
        let before = lines[..<(line - 1)].reduce(0) { $0 + $1.utf8.count + 1 }
        let text = lines[line - 1]
        guard let place = text.index(start.lowerBound, offsetBy: characters, limitedBy: text.endIndex) else {
            return nil
        }
        return before + text[..<place].utf8.count
    }
}

extension String {
    fileprivate var trimmingTrailingNewlines: String {
        var text = self[...]
        while text.last == "\n" { text.removeLast() }
        return String(text)
    }
}

extension Substring {
    /// The first place where `other` stands. - Complexity: O(n · m).
    fileprivate func range(of other: Substring) -> Range<Index>? {
        var start = startIndex
        while true {
            if self[start...].hasPrefix(other) {
                return start..<index(start, offsetBy: other.count)
            }
            guard start < endIndex else { return nil }
            start = index(after: start)
        }
    }
}
