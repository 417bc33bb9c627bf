import JSON
import StorageEngine

/// What a dump says of a log's partitions, and how far its records have come: each has its place, and they ascend.
struct LogShape {
    private static let producerBytesMax = 255

    /// Of each partition; nil: the dump does not say.
    private(set) var bounds: [Range<Int64>]?
    /// Where the next record may lie at the earliest.
    private var next: [Int64] = []

    init() {}

    init(_ log: String, _ count: Int, _ partitions: [JSONValue]?) throws {
        next = Array(repeating: 0, count: count)
        guard let partitions else { return }
        guard partitions.count == count else {
            throw Problem.invalidArgument(
                "partitions", "has \(partitions.count) elements, and config says \(count)")
        }
        let bounds = try partitions.enumerated().map { number, value in
            var fields = try ObjectReader(value, at: "partitions[\(number)]")
            let range = 0...DumpFormat.offsetMax
            let first = try fields.required("first", try fields.integer("first", in: range))
            let tail = try fields.required("tail", try fields.integer("tail", in: first...range.upperBound))
            return first..<tail
        }
        next = bounds.map(\.lowerBound)
        self.bounds = bounds
    }

    mutating func add(_ offset: Int64, to partition: Int) throws(Problem) {
        guard next.indices.contains(partition) else {
            throw .invalidArgument("partition", "must be from 0 to \(next.count - 1)")
        }
        guard offset >= next[partition] else {
            throw .invalidArgument(
                "offset", "must be at least \(next[partition]): those of a partition ascend from its first")
        }
        if let tail = bounds?[partition].upperBound, offset >= tail {
            throw .invalidArgument("offset", "must lie before the partition's tail \(tail)")
        }
        next[partition] = offset + 1
    }

    /// One call of a producer.
    func producer(_ line: JSONValue) throws -> ProducerCall {
        var fields = try ObjectReader(line)
        let id = try fields.required("producer", try fields.string("producer"))
        guard (1...Self.producerBytesMax).contains(id.utf8.count) else {
            throw Problem.invalidArgument("producer", "must have 1 to \(Self.producerBytesMax) bytes")
        }
        let numbers = 0...Int64.max
        let stamp = ProducerStamp(
            id: id, epoch: try fields.required("epoch", try fields.integer("epoch", in: numbers)),
            sequence: try fields.required("seq", try fields.integer("seq", in: numbers)))
        let time = try fields.required("time", try fields.timestamp("time"))
        let ranges = try (fields.array("ranges") ?? []).enumerated().map { index, value in
            var range = try ObjectReader(value, at: "ranges[\(index)]")
            let partition = try range.required(
                "partition", try range.integer("partition", in: 0...Int64(max(next.count - 1, 0))))
            let offsets = 0...DumpFormat.offsetMax
            let start = try range.required("start", try range.integer("start", in: offsets))
            let end = try range.required("end", try range.integer("end", in: start...offsets.upperBound))
            return OffsetRange(partition: Int(partition), start: Offset(start), end: Offset(end))
        }
        return ProducerCall(stamp: stamp, ranges: ranges, time: time)
    }
}
