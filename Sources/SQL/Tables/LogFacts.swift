import JSON
import Platform
import StorageEngine

/// What is known of the batches of a log, in one place beside it: a query looks only at those that are new.
final class LogFacts: Sendable {
    struct Entry: Sendable {
        /// Of the batch, which is not kept by this.
        let serial: UInt64
        let facts: BatchFields.Facts

        func covers(_ mark: BatchMark) -> Bool { serial == mark.serial && facts.rowCount >= mark.rowsEnd }
    }

    /// Of the batches of a cut, in its order.
    struct Known: Sendable {
        fileprivate(set) var entries: [Entry] = []
        fileprivate(set) var joined = BatchFields.Facts()

        func covers(_ marks: [BatchMark]) -> Bool {
            entries.count == marks.count && entries.indices.allSatisfy { entries[$0].covers(marks[$0]) }
        }
    }

    /// Of the same batches.
    let columns = ColumnLists()
    private let kept = Lock(Known())

    /// - Parameter lookAt: finds out about batches that are not known, or not far enough.
    func known(
        of part: Cut.Part, _ marks: [BatchMark], lookAt: ([BatchView]) throws -> Void
    ) throws -> Known {
        let before = kept.withLock { $0 }
        if before.covers(marks) { return before }
        let entries = Self.match(before.entries, marks)
        try lookAt(entries.indices.filter { entries[$0] == nil }.map { part.batches[$0] })
        var known = Known()
        known.entries.reserveCapacity(marks.count)
        for (place, entry) in entries.enumerated() {
            var facts = entry?.facts ?? part.batches[place].fields.facts
            // Most batches have the same fields: they share one list, which makes joining cheap.
            if entry == nil, let last = known.entries.last {
                facts.summary.shareFields(of: last.facts.summary)
            }
            known.joined.join(facts)
            known.entries.append(Entry(serial: marks[place].serial, facts: facts))
        }
        let made = known
        kept.withLock { $0 = made }
        return known
    }

    /// For each batch what is known of it.
    private static func match(_ entries: [Entry], _ marks: [BatchMark]) -> [Entry?] {
        var next = 0
        var places: [UInt64: Int]?
        return marks.map { mark in
            if next >= entries.count || entries[next].serial != mark.serial {
                let known =
                    places
                    ?? Dictionary(zip(entries.map(\.serial), entries.indices), uniquingKeysWith: { $1 })
                places = known
                guard let place = known[mark.serial] else { return nil }
                next = place
            }
            defer { next += 1 }
            return entries[next].covers(mark) ? entries[next] : nil
        }
    }
}

extension Log {
    var facts: LogFacts { companion.value { LogFacts() } }
}
