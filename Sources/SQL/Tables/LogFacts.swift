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

        func covers(_ mark: BatchMark, at place: Int) -> Bool {
            place < entries.count && entries[place].covers(mark)
        }

        /// All of a batch's times lie in here. - Precondition: the batch is covered.
        func timestamps(of mark: BatchMark, at place: Int) -> ClosedRange<Int64> {
            min(entries[place].facts.minTimestamp, mark.maxTimestamp)...mark.maxTimestamp
        }
    }

    /// Of the same batches.
    let columns = ColumnLists()
    private let kept = Lock(Known())

    /// By now.
    var known: Known { kept.withLock { $0 } }

    /// - Parameters:
    ///   - part: has the batches that are not known, or not far enough.
    ///   - before: what was known when it was cut, or later.
    ///   - lookAt: finds out about those batches.
    func known(
        of part: Cut.Part, _ marks: [BatchMark], since before: Known, lookAt: ([BatchView]) throws -> Void
    ) throws -> Known {
        if before.covers(marks) { return before }
        let entries = Self.match(before.entries, marks)
        let batches = Dictionary(
            uniqueKeysWithValues: part.batches.indices.lazy.map { (part.place($0), $0) }.filter {
                entries[$0.0] == nil
            })
        try lookAt(batches.values.sorted().map { part.batches[$0] })
        var known = Known()
        known.entries.reserveCapacity(marks.count)
        for (place, entry) in entries.enumerated() {
            guard var facts = entry?.facts ?? batches[place].map({ part.batches[$0].fields.facts }) else {
                preconditionFailure("a batch that nothing is known of was not cut")
            }
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
