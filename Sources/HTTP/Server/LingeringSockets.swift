import CMicroHTTPD
import Glibc
import Platform

/// Sockets whose answer is sent and whose client may still be sending: read and dropped for a short while.
final class LingeringSockets: Sendable {
    private struct Socket {
        let deadlineNanoseconds: Int64
        var bytesLeft: Int
    }

    private static let socketsMax = 256
    private static let nanosecondsMax: Int64 = 2_000_000_000
    /// A client that has not looked up from sending after so much never will.
    private static let bytesMax = 4 << 20

    private let sockets = Lock<[Int32: Socket]>([:])

    var isEmpty: Bool { sockets.withLock { $0.isEmpty } }

    /// - Returns: false when there are too many already.
    func add(_ socket: Int32, nowNanoseconds now: Int64) -> Bool {
        sockets.withLock { sockets in
            guard sockets.count < Self.socketsMax else { return false }
            sockets[socket] = Socket(deadlineNanoseconds: now + Self.nanosecondsMax, bytesLeft: Self.bytesMax)
            return true
        }
    }

    func drain(_ socket: Int32) {
        guard var state = sockets.withLock({ $0[socket] }) else { return }
        let isOver = withUnsafeTemporaryAllocation(byteCount: 64 * 1024, alignment: 16) { buffer in
            let count = recv(socket, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
            state.bytesLeft -= max(count, 0)
            return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) || state.bytesLeft < 0
        }
        if isOver { close(socket) } else { sockets.withLock { $0[socket] = state } }
    }

    func closeExpired(nowNanoseconds now: Int64) {
        let expired = sockets.withLock { sockets in
            sockets.filter { $0.value.deadlineNanoseconds <= now }.map(\.key)
        }
        for socket in expired { close(socket) }
    }

    func closeAll() {
        for socket in sockets.withLock({ Array($0.keys) }) { close(socket) }
    }

    func close(_ socket: Int32) {
        if sockets.withLock({ $0.removeValue(forKey: socket) }) != nil { Glibc.close(socket) }
    }
}
