import JSON
import Platform
import StorageEngine
import Synchronization

/// Finds out which fields the values of batches have: at most once for each row, kept beside its batch.
struct FactFinder {
    /// Fewer batches to look at are not worth other threads.
    private static let batchesPerThreadMin = 4

    private let query: Query
    private let threads: Int

    init(for query: Query, threads: Int) {
        self.query = query
        self.threads = threads
    }

    /// - Throws: why the query was cancelled meanwhile.
    func facts(
        of part: Cut.Part, _ marks: [BatchMark], since known: LogFacts.Known
    ) throws -> LogFacts.Known {
        try part.log.facts.known(of: part, marks, since: known) { batches in
            try lookAt(batches.filter { $0.fields.knownRowCount < $0.rows.upperBound }, part.log)
        }
    }

    private func lookAt(_ batches: [BatchView], _ log: Log) throws {
        let work = Work(batches, log, query)
        let helpers = min(threads, batches.count / Self.batchesPerThreadMin) - 1
        let running = (0..<max(0, helpers)).map { _ in Thread(name: "sql-fields") { work.run() } }
        work.run()
        for thread in running { thread.join() }
        if let failure = query.failure ?? work.failure { throw failure }
    }
}

/// Batches that threads take turns in looking at.
private final class Work: Sendable {
    private let batches: [BatchView]
    private let log: Log
    private let query: Query
    private let next = Atomic<Int>(0)
    private let failed = Lock<(any Error)?>(nil)

    init(_ batches: [BatchView], _ log: Log, _ query: Query) {
        self.batches = batches
        self.log = log
        self.query = query
    }

    var failure: (any Error)? { failed.withLock { $0 } }

    func run() {
        guard !batches.isEmpty else { return }
        let summarizer = FieldSummarizer()
        while !query.isCancelled, failure == nil {
            let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
            guard index < batches.count else { return }
            do {
                let whole = try query.loaded(batches[index], of: log)
                try batches[index].learnFacts(whole, summarizer)
            } catch {
                failed.withLock { $0 = error }
            }
        }
    }
}

extension BatchView {
    var fields: BatchFields { companion.value { BatchFields() } }

    /// About the rows that nobody has looked at.
    /// - Parameter whole: this one with its values.
    fileprivate func learnFacts(_ whole: BatchView, _ summarizer: FieldSummarizer) throws {
        let fields = fields
        var facts = fields.facts
        let (start, count) = (facts.rowCount, rows.upperBound)
        guard start < count else { return }
        let columns = whole.columns
        for row in start..<count {
            facts.minTimestamp = min(facts.minTimestamp, columns.timestamps[row])
            if facts.keysAreText, let key = columns.key(row), !isValidUTF8(key) { facts.keysAreText = false }
            guard columns.types != nil else { continue }
            let type = columns.type(row)
            if type == .json || type.isTombstone { continue }
            facts.valuesAreJSON = false
            if facts.valuesAreText, !isValidUTF8(columns.value(row)) { facts.valuesAreText = false }
        }
        try summarizer.add(whole.fieldRows(start..<count), to: &facts.summary)
        withExtendedLifetime(whole) {}
        fields.learn(facts)
    }
}
