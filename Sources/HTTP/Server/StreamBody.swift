import CMicroHTTPD
import Glibc
import Metrics
import Platform
import Synchronization

/// A streamed body on its way: suspends the connection while the source has nothing, and resumes it exactly once for
/// each suspension, whoever wakes it.
final class StreamBody: StreamWaker, Waiting, @unchecked Sendable {
    // Sendable: all but the atomics is used by the connection's thread only.
    static let blockBytes = 16 * 1024
    /// What a stream is charged: the library's block, the source's page and what a coder keeps.
    private static let chargedBytes = 4 * blockBytes
    /// `MHD_CONTENT_READER_END_OF_STREAM` and `…_WITH_ERROR`, which are casts in C.
    private static let ended = -1
    static let failed = -2
    /// From here on it has no more to say.
    private var isOver = false

    private enum State {
        static let running = 0
        /// Woken while running: the next `wait` does not suspend.
        static let woken = 1
        static let suspended = 2
        static let closed = 3
    }

    private let source: any ResponseSource
    private let connection: Connection
    private let state = Atomic<Int>(State.running)
    private let isHungUp = Atomic<Bool>(false)
    private let isEnding = Atomic<Bool>(false)
    private var hasStarted = false
    private var isSuspended = false

    init(_ source: any ResponseSource, _ connection: Connection) {
        self.source = source
        self.connection = connection
        connection.context.configuration.bufferedBytesChanged?(Self.chargedBytes)
    }

    deinit { connection.context.configuration.bufferedBytesChanged?(-Self.chargedBytes) }

    // MARK: From any thread

    func wake() {
        var seen = state.load(ordering: .relaxed)
        while true {
            let next: Int
            switch seen {
            case State.running: next = State.woken
            case State.suspended: next = State.running
            default: return
            }
            let (exchanged, original) = state.compareExchange(
                expected: seen, desired: next, ordering: .acquiringAndReleasing)
            if exchanged {
                if seen == State.suspended { connection.resume() }
                return
            }
            seen = original
        }
    }

    func hangUp() {
        isHungUp.store(true, ordering: .releasing)
        wake()
    }

    func stop(isFinal: Bool) {
        isEnding.store(true, ordering: .releasing)
        wake()
    }

    // MARK: On the connection's thread

    /// - Returns: what the reader callback returns.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if isSuspended {
            isSuspended = false
            connection.unsuspend(nowNanoseconds: Clock.monotonicNanoseconds(), .sending)
        }
        if !hasStarted {
            hasStarted = true
            source.start(waker: self)
        }
        while true {
            if isOver || isHungUp.load(ordering: .acquiring) { return closeConnection(buffer) }
            // What wakes after this is for a state the source has not shown yet.
            _ = state.compareExchange(
                expected: State.woken, desired: State.running, ordering: .acquiringAndReleasing)
            let isLast =
                isEnding.load(ordering: .acquiring)
                || connection.context.isStopping.load(ordering: .acquiring)
            switch source.read(into: buffer) {
            case .bytes(let count) where count > 0:
                connection.context.metrics.sentBytes.add(UInt64(count))
                return min(count, buffer.count)
            case .bytes, .wait:
                if isLast { return end(buffer) }
                if suspend() { return 0 }
            case .end: return end(buffer)
            case .abort: return closeConnection(buffer)
            }
        }
    }

    /// Without chunks (HTTP/1.0) the end of the connection is the end of the body.
    private func end(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        connection.isVersion10 ? closeConnection(buffer) : Self.ended
    }

    /// When a reader says that the connection is to be closed, version 0.9.75 forgets to: it would stay open until all
    /// older ones are gone. So the socket is shut, and a byte offered that cannot be sent; that failure it handles.
    private func closeConnection(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        isOver = true
        connection.shutDown(SHUT_WR)
        guard !buffer.isEmpty else { return Self.failed }
        buffer[0] = 0
        return 1
    }

    /// No further `read` will come.
    func close() {
        state.store(State.closed, ordering: .sequentiallyConsistent)
        if isSuspended {
            isSuspended = false
            connection.unsuspend(nowNanoseconds: connection.context.watch.tick, .sending)
        }
        source.finished()
    }

    /// - Returns: false when there was a wake since `source.read`: read again.
    private func suspend() -> Bool {
        if state.load(ordering: .acquiring) == State.woken { return false }
        isSuspended = true
        connection.suspend(for: self)
        let (exchanged, _) = state.compareExchange(
            expected: State.running, desired: State.suspended, ordering: .acquiringAndReleasing)
        if !exchanged {
            // Woken in between: take the suspension back.
            state.store(State.running, ordering: .releasing)
            connection.resume()
        }
        return true
    }
}
