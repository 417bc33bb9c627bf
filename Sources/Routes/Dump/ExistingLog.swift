import JSON
import Platform
import StorageEngine

/// A log that is there already: records are appended while the dump is read, with new offsets and their own times.
final class ExistingLog: LoadedLog {
    private let log: Log
    private let clock: Clock
    private var undecided: [Outcome<AppendResult>] = []
    private var summary = AppendSummary()
    let result: StaticString? = "appended"
    /// A part of it failed after it was handed over: nobody knows whether it is there.
    private(set) var isUncertain = false

    init(_ log: Log, _ clock: Clock) {
        self.log = log
        self.clock = clock
    }

    var count: Int { summary.count }
    var ranges: [AppendSummary.Range] { summary.ranges }

    func partition(ofKey key: UnsafeRawBufferPointer) -> Int? { nil }
    func restoreProducer(_ call: ProducerCall) {}

    func append(_ rows: [DumpRow], _ source: DumpBytes) throws {
        let now = clock.now()
        // What a newer record had superseded would be the newest again where that one is gone.
        let keepsNewestOnly = log.configuration.compaction == .keys
        let chosen = rows.filter { $0.deadline > now && !(keepsNewestOnly && $0.isSuperseded) }
        guard !chosen.isEmpty else { return }
        let draft = draft(of: chosen, source)
        while true {
            do throws(EngineError) {
                add(try log.append(draft, AppendOptions()))
                return
            } catch {
                // The disk is slower than the network: the client waits, because this does not go on.
                guard error == .commitLogBehind, !undecided.isEmpty else { throw error }
                try decideFirst()
            }
        }
    }

    /// Waits until all of it is decided, each part for itself. - Throws: the first failure.
    func finish(bounds: [Range<Int64>]?) throws {
        var failure: EngineError?
        while !undecided.isEmpty {
            do throws(EngineError) { try decideFirst() } catch { failure = failure ?? error }
        }
        if let failure { throw failure }
    }

    private func add(_ outcome: Outcome<AppendResult>) {
        if case .done(let result) = outcome { summary.add(result) } else { undecided.append(outcome) }
    }

    private func decideFirst() throws(EngineError) {
        do throws(EngineError) { summary.add(try undecided.removeFirst().wait()) } catch {
            isUncertain = true
            throw error
        }
    }

    private func draft(of rows: [DumpRow], _ source: DumpBytes) -> Draft {
        let scratch = ByteBuffer(capacity: source.scratch.count + source.extras.count)
        scratch.append(source.scratch.bytes)
        scratch.append(source.extras.bytes)
        let extrasStart = source.scratch.count
        var draft = Draft(source: source.text, scratch: scratch)
        draft.values = rows.map { $0.value.isAbsent ? .init(source: 0, count: 0) : .init($0.value) }
        if rows.contains(where: { !$0.key.isAbsent }) { draft.keys = rows.map { .init($0.key) } }
        draft.types = rows.map(\.type)
        draft.timestamps = rows.map(\.timestamp)
        draft.deadlines = rows.map(\.deadline)
        draft.priorities = rows.map(\.priority)
        draft.extras = rows.map { row in
            row.extras.isEmpty
                ? .absent
                : .init(
                    scratch: UInt32(extrasStart + row.extras.lowerBound), count: UInt32(row.extras.count))
        }
        draft.partitions = rows.map { row in
            row.key.isAbsent ? Int32(row.partition % log.partitionCount) : -1
        }
        return draft
    }
}
