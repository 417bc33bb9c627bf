import JSON
import StorageEngine

/// What the engine refuses, said to a client.
extension Problem {
    package init(_ error: EngineError) {
        self =
            switch error {
            case .logNotFound(let log): .logNotFound(log)
            case .logExists(let log, let differences): .logExists(log, differences)
            case .invalidConfiguration(let field, let reason): .invalidArgument(field, reason)
            case .notImplemented(let feature): .notImplemented(feature)
            case .keyNotFound: Problem(.keyNotFound, "the log has no such key, or it has expired")
            case .partitionOutOfRange(let partition, let partitions): .noPartition(partition, of: partitions)
            case .offsetOutOfRange(let tail): .offsetOutOfRange(tail)
            case .offsetTrimmed(let first): .offsetTrimmed(first)
            case .preconditionFailed(let current): .preconditionFailed(current)
            case .offsetMismatch(let tail):
                Problem(.offsetMismatch, "the tail is \(tail.rawValue)", members: [.init("tail", tail)])
            case .epochChanged(let current): .epochChanged(current)
            case .integerOverflow:
                Problem(.integerOverflow, "the sum does not fit into a signed 64-bit integer")
            case .notAnInteger: Problem(.notAnInteger, "the key's value is not a JSON integer of 64 bits")
            case .recordTooLarge(let limit, let size): .recordTooLarge(limit: limit, size: size)
            case .acknowledgementUnavailable(let requested, let available):
                .acknowledgementUnavailable(requested, available)
            case .producerFenced(let epoch):
                Problem(
                    .producerFenced, "this producer goes on under epoch \(epoch)",
                    members: [.init("current_epoch", .integer(epoch))])
            case .producerGap(let expected):
                Problem(
                    .producerGap, "the next sequence number is \(expected)",
                    members: [.init("expected_seq", .integer(expected))])
            case .memoryFull(let budget, let limit, let used, let needed):
                .memoryFull(budget, limit: limit, used: used, needed: needed)
            case .memoryHeld(let bytes, let limit):
                .overloaded(
                    "readers and requests in flight hold \(bytes) of \(limit) bytes; the slowest is ended")
            case .logReadOnly(let log, let reason):
                Problem(.logReadOnly, "log \(log) accepts no writes: \(reason)")
            case .outcomeUnknown(let reason): .outcomeUnknown(reason)
            case .logDeleted: Problem(.logNotFound, "the log was deleted")
            case .diskFull: .diskFull
            case .transitionRunning(let log):
                .overloaded("the mode of log \(log) is being changed; try again when that is done")
            case .commitLogBehind:
                .overloaded("writes come faster than the disk takes them; wait and try again")
            case .shuttingDown: .shuttingDown
            case .archived: .overloaded("a value is in the archive, and nobody waits for it here; try again")
            case .archiveUnavailable(let log, let reason): .archiveUnavailable(log, reason)
            case .archiveDamaged(let log, let object, let reason):
                Problem(.archiveDamaged, "object \(object) of log \(log): \(reason)")
            case .transactionFailed(let index, let cause): .transactionFailed(index, Problem(cause))
            }
    }

    static func logNotFound(_ log: String) -> Problem {
        Problem(.logNotFound, "there is no log \(quoted(log)); PUT /v1/logs/{log} creates one")
    }

    static let shuttingDown = Problem(.shuttingDown, "the server is shutting down; try again when it is back")
        .with { $0.retryAfterSeconds = 1 }

    private static func archiveUnavailable(_ log: String, _ reason: String) -> Problem {
        Problem(
            .archiveUnavailable,
            "records of log \(log) are in its archive, which does not give them: \(reason)"
        )
        .with { $0.retryAfterSeconds = 1 }
    }

    private static let diskFull = Problem(
        .diskFull,
        "the disk has no room for the write-ahead log; writes are taken again once there is: delete, trim, or free space"
    ).with { $0.retryAfterSeconds = 1 }

    private static func logExists(_ log: String, _ differences: [String]) -> Problem {
        // Without any it is in the way of one that is to be made as a whole.
        let detail =
            differences.isEmpty
            ? "log \(log) exists already; give the new one another name (rename), or let it go (replace)"
            : "log \(log) exists and differs in \(differences.joined(separator: ", "))"
        return Problem(
            .logExists, detail,
            members: differences.isEmpty
                ? [] : [.init("differences", .array(differences.map { .string($0) }))])
    }

    private static func notImplemented(_ feature: String) -> Problem {
        Problem(
            .notImplemented, "\(feature) is not implemented in this version",
            members: [.init("feature", .string(feature))])
    }

    private static func noPartition(_ partition: Int, of partitions: Int) -> Problem {
        Problem(
            .invalidArgument, "partition \(partition) does not exist; the log has 0 to \(partitions - 1)",
            members: [.init("field", .string("partition")), .init("partitions", .integer(Int64(partitions)))])
    }

    private static func offsetOutOfRange(_ tail: Offset) -> Problem {
        Problem(
            .offsetOutOfRange,
            "the offset lies beyond the tail \(tail.rawValue); clamp=true starts at the tail",
            members: [.init("tail", tail)])
    }

    private static func offsetTrimmed(_ first: Offset) -> Problem {
        Problem(
            .offsetTrimmed, "the first record kept is \(first.rawValue); clamp=true starts there",
            members: [.init("first", first)])
    }

    private static func preconditionFailed(_ current: Revision?) -> Problem {
        guard let text = current?.text else {
            return Problem(
                .preconditionFailed, "the key does not exist", members: [.init("current_revision", .null)])
        }
        return Problem(
            .preconditionFailed, "the current revision is \(text)",
            members: [.init("current_revision", .string(text))]
        ).with { $0.fields = [.revision(text)] }
    }

    private static func epochChanged(_ current: Epoch) -> Problem {
        Problem(
            .epochChanged, "the log's epoch is \(current.text) now: read again from a position of this epoch",
            members: [.init("current_epoch", .string(current.text))])
    }

    private static func recordTooLarge(limit: Int, size: Int) -> Problem {
        Problem(
            .payloadTooLarge, "a record of \(size) bytes is larger than the limit of \(limit)",
            members: [.init("limit", .integer(Int64(limit))), .init("size", .integer(Int64(size)))])
    }

    private static func acknowledgementUnavailable(
        _ requested: Acknowledgement, _ available: Acknowledgement
    ) -> Problem {
        Problem(
            .acknowledgementUnavailable,
            "the log acknowledges at most from \(available.rawValue), not from \(requested.rawValue)",
            members: [
                .init("requested", .string(requested.rawValue)),
                .init("available", .string(available.rawValue)),
            ])
    }

    private static func transactionFailed(_ index: Int, _ cause: Problem) -> Problem {
        Problem(
            .transactionFailed, "operation \(index) cannot be done: \(cause.detail)",
            members: [.init("index", .integer(Int64(index))), .init("reason", .string(cause.code.rawValue))])
    }

    private static func memoryFull(_ budget: String, limit: Int, used: Int, needed: Int) -> Problem {
        let subject = budget == "server" ? "the server's memory" : "the memory of log \(budget)"
        return Problem(
            .memoryFull,
            "\(used) of \(limit) bytes of \(subject) are used, and \(needed) more were needed; delete, trim, raise the"
                + " limit, or let data give way (memory.eviction)",
            members: [
                .init("budget", .string(budget)), .init("limit", .integer(Int64(limit))),
                .init("used", .integer(Int64(used))), .init("needed", .integer(Int64(needed))),
            ]
        ).with { $0.retryAfterSeconds = 1 }
    }

    private static func outcomeUnknown(_ reason: String) -> Problem {
        Problem(.logReadOnly, "whether the write survives is unknown: \(reason)").with {
            $0.applied = .unknown
            $0.isRetryable = true
        }
    }
}

extension JSONValue.Member {
    init(_ name: String, _ offset: Offset) { self.init(name, .integer(offset.rawValue)) }
}
