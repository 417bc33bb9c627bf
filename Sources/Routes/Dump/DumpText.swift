import JSON
import Platform
import StorageEngine

/// The text of a dump, written piece by piece. Lets go of each batch once it is written.
struct DumpText: ~Copyable {
    private enum Step { case header, log, records, end, over }

    private let form: DumpForm
    private let version: String
    private let now: Int64
    /// Those that are not written yet, last first.
    private var logs: [LogState]
    private let logCount: Int
    private var recordCount = 0
    private var step = Step.header
    /// Of the log at hand: partitions and batches that are not written yet, last first.
    private var partitions: [LogState.PartitionState] = []
    private var batches: [BatchView] = []
    private var log: LogState?
    private var name = ""
    private var row = 0
    private var visitedRows = 0
    private(set) var json: JSONWriter

    /// - Parameter version: of this server.
    init(_ cut: StateCut, _ form: DumpForm, version: String, capacity: Int) {
        self.form = form
        self.version = version
        now = cut.now
        logCount = cut.logs.count
        logs = cut.logs.reversed()
        json = JSONWriter(capacity: capacity)
    }

    var count: Int { json.count }
    var isEnded: Bool { step == .over }

    mutating func removeWritten() { json.removeWritten() }

    /// The batch that comes next, when its values have to be fetched first.
    var archived: (log: LogState, batch: BatchView)? {
        guard step == .records, let log, let batch = batches.last, batch.isStub, hasRows(batch) else {
            return nil
        }
        return (log, batch)
    }

    /// Whether anything of it goes into the dump.
    private func hasRows(_ batch: BatchView) -> Bool {
        (row..<batch.rows.upperBound).contains { batch.isPresent($0) && batch.record($0).deadline > now }
    }

    /// - Parameter batch: that one, with its values.
    mutating func goOn(with batch: BatchView) { batches[batches.count - 1] = batch }

    /// Rows that are gone make no text: after so many, others are let before.
    private static let visitedRowsMax = 1 << 18

    /// Writes more until about `bytesMin` bytes are there, or all of it. There may be less, and nothing, where many rows are
    /// gone: it goes on with the next call.
    mutating func write(atLeast bytesMin: Int) {
        visitedRows = 0
        while json.count < bytesMin, visitedRows < Self.visitedRowsMax, step != .over, archived == nil {
            switch step {
            case .header: writeHeader()
            case .log: writeLog()
            case .records: writeRecords(bytesMin)
            case .end: writeEnd()
            case .over: break
            }
        }
    }

    // MARK: Around the records

    private mutating func writeHeader() {
        if form == .document {
            json.beginObject()
            json.key("header")
        }
        json.beginObject()
        json.member("format", DumpFormat.name)
        json.member("version", DumpFormat.version)
        json.member("server", version)
        json.member("time", now)
        json.endObject()
        endEntry()
        if form == .document {
            json.key("entries")
            json.beginArray()
        }
        step = logs.isEmpty ? .end : .log
    }

    private mutating func writeLog() {
        guard let log = logs.popLast() else {
            step = .end
            return
        }
        self.log = log
        name = log.name
        json.dumpedLog(log)
        endEntry()
        for call in log.producers {
            json.dumpedProducer(call, of: name)
            endEntry()
        }
        partitions = log.partitions.reversed()
        step = .records
    }

    private mutating func writeEnd() {
        if form == .document {
            json.endArray()
            json.key("end")
        }
        json.beginObject()
        json.member("complete", true)
        json.member("logs", logCount)
        json.member("records", recordCount)
        json.endObject()
        if form == .document { json.endObject() }
        json.endLine()
        step = .over
    }

    private mutating func endEntry() {
        if form == .lines { json.endLine() }
    }

    // MARK: Records

    private mutating func writeRecords(_ bytesMin: Int) {
        guard let batch = batches.last else {
            if let partition = partitions.popLast() {
                batches = partition.batches.reversed()
                row = batches.last?.rows.lowerBound ?? 0
            } else {
                step = .log
            }
            return
        }
        let first = row
        while row < batch.rows.upperBound, json.count < bytesMin {
            if batch.isPresent(row) { writeRecord(batch.record(row), isNewest: batch.isNewest(row)) }
            row += 1
        }
        if row >= batch.rows.upperBound {
            batches.removeLast()
            visitedRows += row - first
            row = batches.last?.rows.lowerBound ?? 0
        }
    }

    private mutating func writeRecord(_ record: Record, isNewest: Bool) {
        guard record.deadline > now else { return }
        json.dumpedRecord(record, of: name, isNewest: isNewest)
        endEntry()
        recordCount += 1
    }
}
