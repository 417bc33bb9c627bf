import JSON
import Platform
import StorageEngine

/// Finds out which fields the values of batches have: at most once for each row, kept beside its batch.
struct FactFinder {
    private let summarizer = FieldSummarizer()
    private let query: Query?
    private let cache: ColumnCache

    init(_ cache: ColumnCache, for query: Query?) {
        self.cache = cache
        self.query = query
    }

    /// - Throws: why the query was cancelled meanwhile.
    func facts(of batches: [BatchView]) throws -> BatchFields.Facts {
        var all = BatchFields.Facts()
        for view in batches {
            if let failure = query?.failure { throw failure }
            all.join(try facts(of: view))
        }
        return all
    }

    private func facts(of view: BatchView) throws -> BatchFields.Facts {
        let fields = view.companion.value { BatchFields() }
        var facts = fields.facts
        let count = view.rows.upperBound
        guard facts.rowCount < count else { return facts }
        let start = facts.rowCount
        let columns = view.columns
        for row in start..<count {
            facts.minTimestamp = min(facts.minTimestamp, columns.timestamps[row])
            if facts.keysAreText, let key = columns.key(row), !isValidUTF8(key) { facts.keysAreText = false }
            guard columns.types != nil else { continue }
            let type = columns.type(row)
            if type == .json || type.isTombstone { continue }
            facts.valuesAreJSON = false
            if facts.valuesAreText, !isValidUTF8(columns.value(row)) { facts.valuesAreText = false }
        }
        try summarizer.add(view.fieldRows(start..<count), to: &facts.summary)
        fields.learn(facts)
        return facts
    }
}
