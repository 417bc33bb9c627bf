import HTTP
import JSON
import Metrics
import Platform
import StorageEngine

/// The events of a tail. It holds no more than a piece of text and a place in each partition: a slow reader falls behind,
/// and is cut off once its place is trimmed.
final class TailSource: ResponseSource, @unchecked Sendable {
    // Sendable: `cursors`, `text` and the counts belong to the connection's thread; the rest is in `shared`.
    private static let recordsPerReadMax = 256
    private static let bytesPerReadMax = 256 * 1024
    private static let pingNanoseconds: Int64 = 15_000_000_000

    private struct Cursor {
        let partition: Int
        var next: Offset
        /// Until the first read, a start that was not named as an offset moves with what is trimmed.
        var clamps: Bool
    }

    private struct Shared {
        var waker: (any StreamWaker)?
        /// By cursor: waits for records, so reading would find none.
        var isWaiting: [Bool]
        var waiters: [ReadWaiter?]
        /// By cursor: what a worker has read, because it had to come from an archive.
        var fetched: [Result<ReadResult, EngineError>?]
        var nextPing: Int64 = 0
        var isPingDue = false
        var isStopping = false
        var isFinished = false
    }

    private let log: Log
    private let services: Services
    private let isAll: Bool
    private var cursors: [Cursor]
    private var turn = 0
    private var remaining: Int?
    private var text = JSONWriter(capacity: 4096)
    private var sentBytes = 0
    private var isEnding = false
    private let shared: Lock<Shared>

    init(_ log: Log, _ start: TailStart, limit: Int?, _ services: Services) {
        self.log = log
        self.services = services
        isAll = start.isAll
        remaining = limit
        cursors = zip(start.partitions, start.offsets).map { partition, offset in
            Cursor(partition: partition, next: offset, clamps: !start.isExact)
        }
        let count = cursors.count
        shared = Lock(
            Shared(
                isWaiting: Array(repeating: false, count: count),
                waiters: Array(repeating: nil, count: count),
                fetched: Array(repeating: nil, count: count)))
    }

    func start(waker: any StreamWaker) {
        shared.withLock { shared in
            shared.waker = waker
            shared.nextPing = Clock.monotonicNanoseconds() + Self.pingNanoseconds
        }
        services.tails.add(1)
        services.streams.add(self)
        // A comment, so that the head of the answer goes out before there is an event.
        text.frame(": tail\n\n")
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        if sentBytes == text.count {
            if isEnding { return .end }
            text.removeWritten()
            sentBytes = 0
            produce()
            if text.count == 0 { return .wait }
        }
        let count = min(buffer.count, text.count - sentBytes)
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: text.bytes[sentBytes..<sentBytes + count]))
        sentBytes += count
        return .bytes(count)
    }

    func finished() {
        let (waiters, wasStarted) = shared.withLock { shared -> ([ReadWaiter], Bool) in
            guard !shared.isFinished else { return ([], false) }
            shared.isFinished = true
            defer {
                shared.waiters = []
                shared.fetched = []
                shared.waker = nil
            }
            return (shared.waiters.compactMap { $0 }, shared.waker != nil)
        }
        for waiter in waiters { waiter.cancel() }
        guard wasStarted else { return }
        services.streams.remove(self)
        services.tails.add(-1)
    }

    // MARK: From other threads

    func beat(_ now: Int64) {
        let waker = shared.withLock { shared -> (any StreamWaker)? in
            guard now >= shared.nextPing, shared.waker != nil else { return nil }
            shared.nextPing = now + Self.pingNanoseconds
            shared.isPingDue = true
            return shared.waker
        }
        waker?.wake()
    }

    func endForStop() {
        let waker = shared.withLock { shared in
            shared.isStopping = true
            return shared.waker
        }
        waker?.wake()
    }

    private func woken(_ index: Int) {
        let waker = shared.withLock { shared -> (any StreamWaker)? in
            guard !shared.isFinished else { return nil }
            shared.isWaiting[index] = false
            shared.waiters[index] = nil
            return shared.waker
        }
        waker?.wake()
    }

    // MARK: Producing

    private func produce() {
        let (isPingDue, isStopping) = shared.withLock { shared in
            defer { shared.isPingDue = false }
            return (shared.isPingDue, shared.isStopping)
        }
        if isStopping { return end(reason: "shutdown") }
        if isPingDue { text.frame("event: ping\ndata: {}\n\n") }
        for _ in cursors.indices {
            turn = (turn + 1) % cursors.count
            if shared.withLock({ $0.isFinished || $0.isWaiting[turn] }) { continue }
            readOrWait(turn)
            if text.count > 0 { return }
        }
    }

    /// Writes what there is; else waits for what comes.
    private func readOrWait(_ index: Int) {
        repeat {
            do {
                write(try fetched(index) ?? Self.read(log, cursors[index], limit: limit, .refused), index)
            } catch EngineError.archived {
                if fetch(index) { return }
            } catch EngineError.logDeleted {
                end(reason: "deleted")
            } catch {
                fail(error)
            }
        } while text.count == 0 && !wait(index)
    }

    private var limit: Int { min(remaining ?? .max, Self.recordsPerReadMax) }

    private static func read(
        _ log: Log, _ cursor: Cursor, limit: Int, _ archived: ArchivedValues
    ) throws(EngineError) -> ReadResult {
        try log.read(
            partition: cursor.partition, from: .offset(cursor.next), limit: limit, maxBytes: bytesPerReadMax,
            clamps: cursor.clamps, archived: archived)
    }

    private func fetched(_ index: Int) throws(EngineError) -> ReadResult? {
        let result = shared.withLock { shared in
            defer { shared.fetched[index] = nil }
            return shared.fetched[index]
        }
        return try result?.get()
    }

    /// A worker reads what has to come from an archive, and wakes the connection. - Returns: false when none does.
    private func fetch(_ index: Int) -> Bool {
        shared.withLock { $0.isWaiting[index] = true }
        let cursor = cursors[index]
        let limit = limit
        do {
            try services.storeWorkers.run { [weak self, log] in
                let result = Result { () throws(EngineError) in
                    try Self.read(log, cursor, limit: limit, .fetched)
                }
                self?.shared.withLock { if !$0.isFinished { $0.fetched[index] = result } }
                self?.woken(index)
            }
            return true
        } catch {
            fail(error)
            return false
        }
    }

    /// - Returns: false when there is something to read after all.
    private func wait(_ index: Int) -> Bool {
        shared.withLock { $0.isWaiting[index] = true }
        let cursor = cursors[index]
        let waiter = log.waitForRecords(partition: cursor.partition, beyond: cursor.next) { [weak self] in
            self?.woken(index)
        }
        guard let waiter else {
            shared.withLock { $0.isWaiting[index] = false }
            return false
        }
        let isFinished = shared.withLock { shared -> Bool in
            if shared.isFinished { return true }
            // It may have been woken already.
            if shared.isWaiting[index] { shared.waiters[index] = waiter }
            return false
        }
        if isFinished { waiter.cancel() }
        return true
    }

    private func write(_ result: ReadResult, _ index: Int) {
        // What was fetched was asked for before others took their part of what may still come: the stream ends in it then.
        for record in result.records.prefix(remaining ?? .max) {
            cursors[index].next = Offset(record.offset.rawValue + 1)
            text.frame("event: record\nid: ")
            text.frame(isAll ? positions : record.revision(in: log).fieldText)
            text.frame("\ndata: ")
            text.record(record, withPartition: isAll, onOneLine: true)
            text.frame("\n\n")
        }
        cursors[index].next = result.next
        cursors[index].clamps = false
        guard let remaining else { return }
        self.remaining = max(0, remaining - result.records.count)
        if self.remaining == 0 { end(reason: "limit") }
    }

    /// Every partition's next position.
    private var positions: String {
        cursors.map { cursor in
            Revision(partition: cursor.partition, offset: cursor.next, epoch: log.epoch).fieldText
        }.joined(separator: ",")
    }

    private func end(reason: StaticString) {
        isEnding = true
        text.frame("event: done\nid: ")
        text.frame(TailStart.doneID)
        text.frame("\ndata: ")
        text.object { $0.member("reason", reason) }
        text.frame("\n\n")
    }

    private func fail(_ error: any Error) {
        isEnding = true
        text.frame("event: error\ndata: ")
        text.value(services.problems.problem(for: error, nil).document)
        text.frame("\n\n")
    }
}
