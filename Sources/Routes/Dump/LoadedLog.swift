import JSON
import Platform
import StorageEngine

/// What becomes of a log of a dump.
protocol LoadedLog: AnyObject {
    /// Of its records.
    var count: Int { get }
    /// As the answer calls it; nil: it is not mentioned.
    var result: StaticString? { get }
    /// Where a key's records have to lie; nil: that is not decided by the dump.
    func partition(ofKey key: UnsafeRawBufferPointer) -> Int?
    /// Rows with ascending offsets in each partition.
    func append(_ rows: [DumpRow], _ source: DumpBytes) throws
    func restoreProducer(_ call: ProducerCall)
    /// No more rows come. - Parameter bounds: of each partition; nil: the dump does not say.
    func finish(bounds: [Range<Int64>]?) throws
}

/// A log that nobody sees before the whole dump has been read.
final class IncomingLoadedLog: LoadedLog {
    private let log: IncomingLog
    private(set) var count = 0
    let result: StaticString?

    init(_ log: IncomingLog, replaces: Bool) {
        self.log = log
        result = replaces ? "replaced" : "created"
    }

    func partition(ofKey key: UnsafeRawBufferPointer) -> Int? { log.partition(ofKey: key) }

    func append(_ rows: [DumpRow], _ source: DumpBytes) throws {
        defer { withExtendedLifetime(source) {} }
        var start = 0
        while start < rows.count {
            let partition = rows[start].partition
            let end = rows[start...].firstIndex { $0.partition != partition } ?? rows.count
            do throws(IncomingFailure) {
                try log.append(rows[start..<end].map { Self.row($0, source) }, to: partition)
            } catch {
                switch error {
                case .refused(let refusal): throw refusal
                case .damaged(let what):
                    throw Problem.invalidArgument("offset", "partition \(partition) \(what)")
                }
            }
            start = end
        }
        count += rows.count
    }

    func restoreProducer(_ call: ProducerCall) { log.restoreProducer(call) }

    func finish(bounds: [Range<Int64>]?) { log.finish(bounds: bounds) }

    private static func row(_ row: DumpRow, _ source: DumpBytes) -> IncomingRow {
        IncomingRow(
            offset: row.offset, key: row.key.isAbsent ? nil : source.bytes(row.key),
            value: source.bytes(row.value),
            extras: UnsafeRawBufferPointer(rebasing: source.extras.bytes[row.extras]),
            timestamp: row.timestamp, arrival: row.arrival, deadline: row.deadline, type: row.type,
            priority: row.priority, isSuperseded: row.isSuperseded)
    }
}

/// A log that is not asked for.
final class SkippedLog: LoadedLog {
    let count = 0
    let result: StaticString? = nil

    func partition(ofKey key: UnsafeRawBufferPointer) -> Int? { nil }
    func append(_ rows: [DumpRow], _ source: DumpBytes) {}
    func restoreProducer(_ call: ProducerCall) {}
    func finish(bounds: [Range<Int64>]?) {}
}
