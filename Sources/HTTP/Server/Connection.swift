import CMicroHTTPD
import Glibc
import Platform
import Synchronization

/// One client connection and the request it is at. libmicrohttpd holds it from accept to close.
///
/// A connection belongs to one event-loop thread. What other threads may touch is atomic or under `shared`.
final class Connection: @unchecked Sendable {
    // Sendable: everything but the constants, the atomics and `shared` is used by the connection's own thread only.

    /// What a connection is doing, for its deadlines.
    enum Phase: UInt8 {
        /// Accepted; nothing of a request has been understood yet.
        case fresh
        /// Between requests.
        case idle
        /// The request line of another request has come.
        case head
        case body
        case handling
        /// Suspended.
        case waiting
        case sending
        /// Overdue: its socket has been shut down.
        case cut
    }

    /// Where the request is, for the access handler's next call.
    enum Step {
        case head, body
        /// The handler runs in the call after the last of the body.
        case handler
        /// An answer is ready, but may be queued only in the next call or keep-alive is lost.
        case answer
        case waiting
        case answered
        /// Answered over libmicrohttpd's head; only to be closed.
        case over
    }

    struct Shared {
        /// -1 once libmicrohttpd is about to close it: the number may belong to somebody else then.
        var socket: Int32
        var waiting: (any Waiting)?
        var isWatched = false
        var lingers = false
    }

    let identifier: UInt64
    let handle: OpaquePointer
    let address: ClientAddress
    let admission: ConnectionTable.Admission
    let context: ServerContext
    let isAdmitted: Bool

    /// The event loop's, which made this object.
    private let thread = pthread_self()

    private let phaseValue: Atomic<UInt8>
    let phaseStartedNanoseconds: Atomic<Int64>
    private let sendingStartedNanoseconds = Atomic<Int64>(0)
    let receivedBodyBytes = Atomic<Int>(0)
    let shared: Lock<Shared>
    /// Of the phase `sending`, used by the watch only: how far the client had read at the last look.
    var acknowledgedBytes: UInt64 = 0
    /// Of the phase `idle`, used by the watch only: the beginning of the silence in which it looked for an overlooked end.
    var endCheckedNanoseconds: Int64 = 0

    var step = Step.head
    var target: [UInt8] = []
    /// Where the target lies in the connection's memory: to find NUL bytes in it.
    var targetStart: UnsafeRawPointer?
    var isVersion10 = false
    var method: Method?
    var request: Request?
    var origin: String?
    var intake: BodyIntake?
    var prepared: Response?
    var deferred: DeferredReply?
    var startedNanoseconds: Int64 = 0
    /// Whether the last request was answered after it had been read whole.
    var hasEndedInOrder = false
    let date = HTTPDate()

    init(
        _ identifier: UInt64, handle: OpaquePointer, socket: Int32, address: ClientAddress,
        _ admission: ConnectionTable.Admission, _ context: ServerContext
    ) {
        self.identifier = identifier
        self.handle = handle
        self.address = address
        self.admission = admission
        if case .admitted = admission { isAdmitted = true } else { isAdmitted = false }
        self.context = context
        phaseValue = Atomic(Phase.fresh.rawValue)
        // Not the watch's tick: it stands still while there is no connection.
        phaseStartedNanoseconds = Atomic(Clock.monotonicNanoseconds())
        shared = Lock(Shared(socket: socket))
    }

    var phase: Phase { Phase(rawValue: phaseValue.load(ordering: .acquiring)) ?? .cut }

    /// When the answer that is being sent began.
    var sendingNanoseconds: Int64 { sendingStartedNanoseconds.load(ordering: .relaxed) }

    /// The answer to a new request.
    func beginSending(nowNanoseconds now: Int64) {
        sendingStartedNanoseconds.store(now, ordering: .relaxed)
        enter(.sending, nowNanoseconds: now)
    }

    func enter(_ phase: Phase, nowNanoseconds now: Int64) {
        phaseStartedNanoseconds.store(now, ordering: .relaxed)
        phaseValue.store(phase.rawValue, ordering: .releasing)
    }

    /// - Returns: false when the phase was another one by now; nothing changes then.
    func leave(_ old: Phase, for new: Phase) -> Bool {
        phaseValue.compareExchange(
            expected: old.rawValue, desired: new.rawValue, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Whether the parser is at work on it, on this very thread, between the end of the head and the access handler.
    var isBeforeHandler: Bool {
        pthread_equal(thread, pthread_self()) != 0 && step == .head && phase != .cut
            && pyra_head_bytes(handle) > 0
    }

    /// Ends the request: everything it held is let go. The connection may serve another one.
    func reset() {
        hasEndedInOrder = step == .answered
        intake?.cancel()
        intake = nil
        request?.fields.release()
        request = nil
        method = nil
        origin = nil
        prepared?.abandon()
        prepared = nil
        deferred = nil
        step = .head
        receivedBodyBytes.store(0, ordering: .relaxed)
        enter(.idle, nowNanoseconds: context.watch.tick)
    }
}
