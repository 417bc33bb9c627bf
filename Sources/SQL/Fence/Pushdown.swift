import Platform

/// Predicate pushdown: where a condition compares `_timestamp` or `_offset` with a plain constant or with `now()`, the scan
/// passes over the rows itself, most of them a batch at a time, and DuckDB reads `true` in that place. Its C interface has
/// no other way: it does not tell table functions of filters.
struct Pushdown {
    /// What has to be true of the rows of a table: one comparison.
    struct Filter {
        let table: String
        let column: BoundFinder.Column
        fileprivate let bounds: [BoundFinder.Bound]

        /// Of offsets, or milliseconds.
        /// - Parameters:
        ///   - now: the millisecond that `now()` is in.
        ///   - isExact: it is its beginning. Otherwise a record of that millisecond is older than `now()`.
        func range(now: Int64, isExact: Bool) -> Range<Int64> {
            // Times beyond are NULL to DuckDB.
            let limit = column == .timestamp ? ExtractedColumn.millisecondsLimit : Int64.max
            return bounds.reduce(-limit + 1..<limit) { range, bound in
                let value = bound.firstBehind(now: now, isExact: isExact)
                return range.clamped(to: bound.isLower ? value..<Int64.max : Int64.min..<value)
            }
        }
    }

    /// With blanks, so that it stands free of what is beside it.
    private static let word = Array(" true ".utf8)

    /// Everything else stands where it stood.
    let query: String
    let filters: [Filter]
    private let conjuncts: Set<Int>
    private let tree: SyntaxTree

    /// Nil when there is nothing to push down.
    /// - Parameters:
    ///   - bounds: on tables that are named once in the query.
    ///   - tree: of the query.
    init?(_ bounds: [BoundFinder.Bound], of query: String, _ tree: SyntaxTree) {
        var bytes = Array(query.utf8)
        var filters: [Filter] = []
        var conjuncts: Set<Int> = []
        for (conjunct, bounds) in Self.candidates(bounds, tree) {
            guard let place = tree.place(of: conjunct), place.lowerBound >= 0,
                place.upperBound <= bytes.count, place.count >= Self.word.count
            else { continue }
            filters.append(Filter(table: bounds[0].table, column: bounds[0].column, bounds: bounds))
            conjuncts.insert(conjunct)
            Self.blank(&bytes, place)
        }
        guard !filters.isEmpty else { return nil }
        self.query = String(decoding: bytes, as: UTF8.self)
        self.filters = filters
        self.conjuncts = conjuncts
        self.tree = tree
    }

    /// Bounds that are constants and all that their comparison says, by comparison.
    private static func candidates(
        _ bounds: [BoundFinder.Bound], _ tree: SyntaxTree
    ) -> [Int: [BoundFinder.Bound]] {
        let calls = tree.nodes.indices.lazy.map { tree.text("function_name", of: $0)?.identifier }
        if calls.contains("current_query".identifier) { return [:] }
        let plain = Dictionary(grouping: bounds, by: \.conjunct).filter { conjunct, bounds in
            // A column without a name is called as the query in it is written.
            bounds.count == boundCount(tree.text("type", of: conjunct)) && bounds.allSatisfy(\.isPlain)
                && !tree.isInSubquery(conjunct)
        }
        // All that say `now()` mean the same instant: here it is the one of the cut.
        let clockCount = tree.nodes.indices.count { tree.readsClock($0) }
        let plainClockCount = plain.keys.reduce(0) { $0 + tree.subtree(of: $1).count { tree.readsClock($0) } }
        return plain.filter { clockCount == plainClockCount || !$0.value.contains(where: \.readsClock) }
    }

    /// DuckDB has read the query as it is meant: the same but for what is pushed down.
    /// - Parameter parsed: from `query`.
    func isSame(as parsed: SyntaxTree) -> Bool { tree.isSame(as: parsed, withTrueFor: conjuncts) }

    func covers(_ bound: BoundFinder.Bound) -> Bool { conjuncts.contains(bound.conjunct) }

    /// All that a comparison says.
    private static func boundCount(_ comparison: String?) -> Int {
        ["COMPARE_BETWEEN", "COMPARE_EQUAL"].contains(comparison) ? 2 : 1
    }

    private static func blank(_ bytes: inout [UInt8], _ place: Range<Int>) {
        for position in place {
            // Lines stay what they are.
            let isBreak = [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains(bytes[position])
            if !isBreak { bytes[position] = UInt8(ascii: " ") }
        }
        bytes.replaceSubrange(place.prefix(word.count), with: word)
    }
}

extension BoundFinder.Bound {
    /// It can be kept without DuckDB.
    fileprivate var isPlain: Bool {
        // Beyond this, `now()` less an interval may be no time of DuckDB's.
        let intervalMax: Int64 = 1000 * 366 * 86_400_000
        if column == .timestampAlias { return false }
        switch literal {
        case .value(let value): return value < Int64.max
        case .justAfter: return true
        case .beforeNow(let interval): return interval < intervalMax
        case nil: return false
        }
    }

    /// The first value above a lower bound, or the first one above those that an upper bound allows.
    /// - Precondition: it is plain.
    fileprivate func firstBehind(now: Int64, isExact: Bool) -> Int64 {
        // Before all times there are: a clock may be set so in test mode.
        let value = literal?.value(now: now) ?? Int64.min
        switch literal {
        case .justAfter: return value + 1
        case .beforeNow where !isExact: return value + 1
        default: return isStrict == isLower ? value + 1 : value
        }
    }
}

extension SyntaxTree {
    fileprivate func readsClock(_ node: Int) -> Bool {
        let name =
            switch text("type", of: node) {
            case "FUNCTION": text("function_name", of: node)
            case "COLUMN_REF": texts("column_names", of: node).last
            default: String?.none
            }
        return name.map { Fence.clocks.contains($0.identifier.text) } ?? false
    }
}
