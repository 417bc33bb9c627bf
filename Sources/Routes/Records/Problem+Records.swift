import JSON
import StorageEngine

/// What is wrong with one record among many.
extension Problem {
    /// - Parameter linesBefore: of the body, taken by earlier calls of the parser.
    init(line failure: RecordFailure, linesBefore: Int) {
        self.init(failure)
        guard let item = failure.item else { return }
        name("line", linesBefore + item)
    }

    init(index failure: RecordFailure) {
        self.init(failure)
        guard let item = failure.item else { return }
        name("index", item)
    }

    /// - Parameter kind: `line` or `index`.
    mutating func name(_ kind: String, _ number: Int) {
        detail = "\(kind) \(number): \(detail)"
        members.append(.init(kind, .integer(Int64(number))))
    }

    /// Some of the records are in: which, and that the rest is not.
    func partially(_ ranges: [AppendSummary.Range]) -> Problem {
        guard !ranges.isEmpty else { return self }
        return with { problem in
            problem.applied = .partial
            problem.members.append(
                .init(
                    "ranges",
                    .array(
                        ranges.map { range in
                            .object([
                                .init("partition", .integer(Int64(range.partition))),
                                .init("start", range.start), .init("end", range.end),
                            ])
                        })))
        }
    }
}
