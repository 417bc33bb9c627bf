import HTTP
import StorageEngine

/// Where a tail begins in each of its partitions.
struct TailStart: Sendable {
    let partitions: [Int]
    /// One for each of `partitions`.
    let offsets: [Offset]
    /// The client named the places: when they are gone, it must know.
    let isExact: Bool
    /// `partition=*`: ids list every partition's next position, events name the partition.
    let isAll: Bool

    /// The id of the last event of a tail that is done: whoever comes back with it is told to stay away.
    static let doneID = "done"

    /// - Throws: `invalid_argument`, `epoch_changed`, `offset_trimmed`, `offset_out_of_range`.
    init(_ query: QueryReader, _ read: ReadQuery, lastEventID: String?, _ log: Log) throws {
        isAll = query.bytes("partition") == [UInt8(ascii: "*")]
        partitions = isAll ? Array(0..<log.partitionCount) : [try RecordRoutes.partition(query, of: log)]
        let wanted: [ReadStart]
        if let lastEventID, !lastEventID.isEmpty {
            let offsets =
                try isAll
                ? Self.positions(lastEventID, of: log) : [Self.behind(lastEventID, partitions[0], log)]
            wanted = offsets.map { .offset($0) }
            isExact = true
        } else {
            if isAll, case .offset = read.start {
                throw Problem.invalidArgument(
                    "offset", "is a place in one partition: cannot go with partition=*")
            }
            wanted = Array(repeating: read.start, count: partitions.count)
            if case .offset = read.start { isExact = true } else { isExact = false }
        }
        offsets = try zip(partitions, wanted).map { partition, start in
            try Self.offset(start, partition, log, clamps: read.clamps)
        }
    }

    /// Behind the event of one partition's tail.
    private static func behind(_ id: String, _ partition: Int, _ log: Log) throws -> Offset {
        guard let revision = Revision(parsing: id), revision.partition == partition,
            revision.offset.rawValue < Int64.max
        else { throw invalid("is not the id of an event of partition \(partition)") }
        try checkEpoch(revision, log)
        return Offset(revision.offset.rawValue + 1)
    }

    private static func positions(_ id: String, of log: Log) throws -> [Offset] {
        let revisions = id.split(separator: ",").compactMap { Revision(parsing: $0) }
        guard revisions.map(\.partition) == Array(0..<log.partitionCount) else {
            throw invalid("is not the id of an event of all \(log.partitionCount) partitions")
        }
        return try revisions.map { revision in
            try checkEpoch(revision, log)
            return revision.offset
        }
    }

    /// What cannot be had fails before the stream begins; what comes is what comes from now on.
    private static func offset(
        _ start: ReadStart, _ partition: Int, _ log: Log, clamps: Bool
    ) throws(EngineError) -> Offset {
        let (first, tail) = try log.bounds(partition: partition)
        switch start {
        case .firstKept: return first
        case .last(0): return tail
        case .timestamp, .last:
            let result = try log.read(
                partition: partition, from: start, limit: 1, maxBytes: 1, clamps: true, archived: .leftOut)
            return result.records.first?.offset ?? result.next
        case .offset(let offset):
            if offset > tail {
                guard clamps else { throw .offsetOutOfRange(tail: tail) }
                return tail
            }
            if offset < first {
                guard clamps else { throw .offsetTrimmed(first: first) }
                return first
            }
            return offset
        }
    }

    private static func checkEpoch(_ revision: Revision, _ log: Log) throws {
        guard revision.epoch == log.epoch else { throw EngineError.epochChanged(current: log.epoch) }
    }

    private static func invalid(_ detail: String) -> Problem { .invalidArgument("Last-Event-ID", detail) }
}
