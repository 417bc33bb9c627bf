import DuckDBClient
import Platform
import Synchronization

/// One query, from its arrival to its last byte.
package final class Query: Sendable {
    package enum Parameters: Sendable {
        case none
        case positional([Value])
        case named([String: Value])
    }

    package enum Value: Sendable, Equatable {
        case null
        case boolean(Bool)
        case integer(Int64)
        case double(Double)
        case text(String)

        var bound: Statement.Value {
            switch self {
            case .null: .null
            case .boolean(let value): .boolean(value)
            case .integer(let value): .integer(value)
            case .double(let value): .double(value)
            case .text(let text): .text(text)
            }
        }
    }

    package struct Request: Sendable {
        package var text: String
        package var parameters = Parameters.none
        /// Nil: the server's.
        package var timeoutMilliseconds: Int64?
        package var format = ResultFormat.json
        /// It takes as long, and becomes as much, as it does: for the server's own.
        package var isUnlimited = false

        package init(_ text: String) { self.text = text }
    }

    package enum Phase: String, Sendable, CaseIterable {
        /// For records that the client wants to be visible.
        case waiting
        /// For a worker.
        case queued
        case running
        case cancelled
    }

    private struct State {
        var phase = Phase.waiting
        /// While it runs.
        var connection: Connection?
        var failure: SQLFailure?
        var rows = 0
        var held: [any AnyObject & Sendable] = []
    }

    package let identifier: String
    package let request: Request
    package let startedAt: Int64
    let timeoutMilliseconds: Int64
    let arrivedNanoseconds: Int64
    let deadlineNanoseconds: Int64
    /// Until it must no longer be waiting.
    let waitDeadlineNanoseconds: Int64
    /// Where its answer comes out.
    package let pipe: ResultPipe
    private let state = Lock(State())
    /// It has a failure: scans look at this for each chunk.
    private let cancelled = Atomic<Bool>(false)

    init(
        _ request: Request, identifier: String, startedAt: Int64, timeoutMilliseconds: Int64,
        waitMilliseconds: Int64, pipe: ResultPipe
    ) {
        let now = Clock.monotonicNanoseconds()
        func time(in milliseconds: Int64) -> Int64 {
            now &+ min(milliseconds, Int64.max / 4_000_000) &* 1_000_000
        }
        self.request = request
        self.identifier = identifier
        self.startedAt = startedAt
        self.timeoutMilliseconds = timeoutMilliseconds
        self.pipe = pipe
        arrivedNanoseconds = now
        deadlineNanoseconds = time(in: timeoutMilliseconds)
        waitDeadlineNanoseconds = time(in: waitMilliseconds)
    }

    package var phase: Phase { state.withLock { $0.phase } }
    /// Sent so far.
    package var rows: Int { state.withLock { $0.rows } }
    var failure: SQLFailure? { state.withLock { $0.failure } }
    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    /// - Throws: why it was cancelled.
    func checkCancelled() throws(SQLFailure) {
        if isCancelled, let failure { throw failure }
    }

    func countRows(_ count: Int) -> Int {
        state.withLock { state in
            state.rows += count
            return state.rows
        }
    }

    /// - Returns: false when it was cancelled before.
    func queue() -> Bool {
        state.withLock { state in
            guard state.phase == .waiting else { return false }
            state.phase = .queued
            return true
        }
    }

    /// Something of DuckDB's is in use for it.
    var isActive: Bool { state.withLock { $0.connection != nil } }

    /// - Throws: why it was cancelled before.
    func begin(on connection: Connection) throws(SQLFailure) {
        let failure = state.withLock { state -> SQLFailure? in
            if state.failure != nil { return state.failure }
            state.phase = .running
            state.connection = connection
            return nil
        }
        if let failure { throw failure }
    }

    /// Keeps what vectors point into until the result is gone, whoever else drops it.
    func hold(_ object: any AnyObject & Sendable) { state.withLock { $0.held.append(object) } }

    /// The result is gone.
    func leaveConnection() {
        let held = state.withLock { state in
            state.connection = nil
            defer { state.held = [] }
            return state.held
        }
        _ = held
    }

    /// Answers at once, and ends what runs. - Returns: the phase it was in; nil when it was cancelled before.
    @discardableResult
    func cancel(_ failure: SQLFailure) -> Phase? {
        let phase = state.withLock { state -> Phase? in
            guard state.failure == nil else { return nil }
            defer { state.phase = .cancelled }
            state.failure = failure
            cancelled.store(true, ordering: .relaxed)
            // Under the lock: the connection must not have gone on to another query.
            state.connection?.interrupt()
            return state.phase
        }
        if phase != nil { pipe.fail(failure) }
        return phase
    }

    /// Nobody reads the answer any more.
    package func abandon() {
        pipe.abandon()
        cancel(.cancelled("the client has gone"))
    }

    /// An interruption that comes before DuckDB has begun is forgotten by it: said again until the query has ended.
    func interruptAgain() {
        state.withLock { if $0.failure != nil { $0.connection?.interrupt() } }
    }
}
