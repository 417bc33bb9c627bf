import CMicroHTTPD
import Glibc
import Platform
import Synchronization

/// What the watch asks of a connection, on the watch's thread.
extension Connection {
    /// A connection over the limit has no more than this to hear so.
    private static let refusedMilliseconds: Int64 = 1000

    func inspect(nowNanoseconds now: Int64) {
        let configuration = context.configuration
        let phase = self.phase
        let age = (now - phaseStartedNanoseconds.load(ordering: .relaxed)) / 1_000_000
        switch phase {
        case .fresh:
            var limit = configuration.headerTimeoutMilliseconds
            if case .answered = admission { limit = min(limit, Self.refusedMilliseconds) }
            if age > limit { cut(.fresh, .headerTimeout) }
        case .head: if age > configuration.headerTimeoutMilliseconds { cut(.head, .headerTimeout) }
        case .idle:
            if age > configuration.idleTimeoutMilliseconds || isEndOverlooked() { cut(.idle, .idleTimeout) }
        case .body: if age > configuration.bodyTimeoutMilliseconds { inspectBody(ageMilliseconds: age) }
        case .waiting: watchForHangUp()
        case .sending: if age > configuration.idleTimeoutMilliseconds { inspectSending(nowNanoseconds: now) }
        case .handling, .cut: break
        }
    }

    /// The socket has been closed or half-closed by the client while the connection is suspended.
    func clientHungUp() { shared.withLock { $0.waiting }?.hangUp() }

    /// Closes a connection between requests, when the server stops.
    func closeIfIdle() {
        if leave(.idle, for: .cut) || leave(.fresh, for: .cut) { shutDown(SHUT_RDWR) }
    }

    /// Ends what the connection waits for, when the server stops.
    func stopWaiting(isFinal: Bool) { shared.withLock { $0.waiting }?.stop(isFinal: isFinal) }

    var isBusy: Bool {
        switch phase {
        case .body, .handling, .waiting, .sending: true
        case .fresh, .idle, .head, .cut: false
        }
    }

    /// Whether the client has closed its half and libmicrohttpd does not know: an end that arrives together with a
    /// request makes one edge-triggered event with it, and the read that follows stops at the request. Looked for once
    /// after each request; a later end makes an event of its own.
    private func isEndOverlooked() -> Bool {
        let started = phaseStartedNanoseconds.load(ordering: .relaxed)
        guard started != endCheckedNanoseconds else { return false }
        endCheckedNanoseconds = started
        return shared.withLock { shared in
            var byte: UInt8 = 0
            return shared.socket >= 0
                && recv(shared.socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
        }
    }

    /// The client has not taken all that was sent.
    var hasUnacknowledged: Bool { shared.withLock { pyra_unacknowledged_bytes($0.socket) > 0 } }

    /// For memory that others need. - Returns: whether it was still being sent.
    /// - Parameter began: when the answer did; another one is left alone.
    func endSlowAnswer(beganNanoseconds began: Int64) -> Bool {
        guard phase == .sending, sendingNanoseconds == began else { return false }
        cut(.sending, .slowReader)
        return true
    }

    private func cut(_ phase: Phase, _ reason: Rejection) {
        guard leave(phase, for: .cut) else { return }
        if reason != .idleTimeout { context.metrics.reject(reason) }
        shutDown(SHUT_RDWR)
    }

    func shutDown(_ how: Int) {
        shared.withLock { shared in
            // A system call under the lock: the number must not be given to another connection meanwhile.
            if shared.socket >= 0 { shutdown(shared.socket, Int32(how)) }
        }
    }

    /// Only ends the reading: the connection's own thread meets the end, and writes the answer.
    private func inspectBody(ageMilliseconds age: Int64) {
        let rate = Int64(receivedBodyBytes.load(ordering: .relaxed)) * 1000 / max(age, 1)
        guard rate < Int64(context.configuration.bodyBytesPerSecondMin), leave(.body, for: .cut) else {
            return
        }
        shutDown(SHUT_RD)
    }

    private func watchForHangUp() {
        shared.withLock { shared in
            guard shared.waiting != nil, !shared.isWatched, shared.socket >= 0 else { return }
            shared.isWatched = context.watch.addHangUp(of: self, socket: shared.socket)
        }
    }

    /// A client that takes nothing for as long as it may be idle is gone.
    private func inspectSending(nowNanoseconds now: Int64) {
        let (unacknowledged, acknowledged) = shared.withLock { shared in
            // -1 answers 0, which is no stall.
            (pyra_unacknowledged_bytes(shared.socket), pyra_acknowledged_bytes(shared.socket))
        }
        if unacknowledged == 0 || acknowledged != acknowledgedBytes {
            acknowledgedBytes = acknowledged
            phaseStartedNanoseconds.store(now, ordering: .relaxed)
        } else {
            cut(.sending, .sendTimeout)
        }
    }
}
