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
            // An error inside of DuckDB tells of its own code, and where that lies on this machine.
            .prefix { !$0.hasPrefix("Stack Trace") }
        guard let mark = lines.firstIndex(where: { $0.hasPrefix("LINE ") }), mark + 1 < lines.count else {
            message = lines.joined(separator: "\n").trimmingTrailingNewlines
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
        var columns = column - prefix
        // A long line is cut at both ends.
        if shown.hasPrefix("...") {
            shown = shown.dropFirst(3)
            columns -= 3
        }
        if shown.hasSuffix("...") { shown = shown.dropLast(3) }
        guard columns >= 0 else { return nil }
        let lines = statement.split(separator: "\n", omittingEmptySubsequences: false)
        guard line <= lines.count, let start = lines[line - 1].range(of: shown) else { return nil }
        let before = lines[..<(line - 1)].reduce(0) { $0 + $1.utf8.count + 1 }
        let text = lines[line - 1]
        var place = start.lowerBound
        while columns > 0, place < text.endIndex {
            columns -= text[place].terminalColumns
            text.formIndex(after: &place)
        }
        return before + text[..<place].utf8.count
    }
}

extension Character {
    /// DuckDB sets its caret by what a terminal shows: wide characters take two columns.
    fileprivate var terminalColumns: Int {
        guard let scalar = unicodeScalars.first?.value else { return 0 }
        let wide: [ClosedRange<UInt32>] = [
            0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
            0xFE30...0xFE6F,
            0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1FAFF,
            0x20000...0x3FFFD,
        ]
        return wide.contains { $0.contains(scalar) } ? 2 : 1
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
