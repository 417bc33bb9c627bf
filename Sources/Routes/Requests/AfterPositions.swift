import StorageEngine

/// `after=<log>/<revision>[,…]`: what must be visible before a read is answered.
struct AfterPositions: Sendable {
    struct Position: Sendable {
        let log: Log
        let revision: Revision
    }

    let positions: [Position]

    static let parameter = "after"

    /// - Parameter log: the log of the route, whose name may be left out.
    /// - Throws: `invalid_argument`, `log_not_found`, `epoch_changed`.
    init(_ query: QueryReader, _ services: Services, log: Log?) throws {
        guard let text = try query.text(Self.parameter) else {
            positions = []
            return
        }
        positions = try text.split(separator: ",", omittingEmptySubsequences: false).map { element in
            let parts = element.split(separator: "/", omittingEmptySubsequences: false)
            let named: Log?
            switch parts.count {
            case 1: named = log
            case 2: named = try services.existingLog(named: LogName.parse(Array(parts[0].utf8)))
            default: throw Self.invalid(log)
            }
            guard let named, let last = parts.last, let revision = Revision(parsing: last) else {
                throw Self.invalid(log)
            }
            return try Self.position(named, revision)
        }
    }

    private static func position(_ log: Log, _ revision: Revision) throws -> Position {
        guard revision.epoch == log.epoch else { throw EngineError.epochChanged(current: log.epoch) }
        guard revision.partition < log.partitionCount else {
            throw EngineError.partitionOutOfRange(
                partition: revision.partition, partitions: log.partitionCount)
        }
        return Position(log: log, revision: revision)
    }

    private static func invalid(_ log: Log?) -> Problem {
        let form = log == nil ? "<log>/<revision>" : "<revision> or <log>/<revision>"
        return .invalidArgument(parameter, "must be \(form), several separated by commas")
    }
}
