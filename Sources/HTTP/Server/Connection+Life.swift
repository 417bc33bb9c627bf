import CMicroHTTPD
import Glibc
import Platform
import Synchronization

extension Connection {
    static func opened(_ handle: OpaquePointer, _ context: ServerContext) -> Connection {
        let socket = pyra_connection_socket(handle)
        let address = ClientAddress(pyra_connection_address(handle))
        let connection = context.connections.add(from: address) { identifier, admission in
            Connection(identifier, handle: handle, socket: socket, address: address, admission, context)
        }
        context.metrics.gauges.connections.wrappingAdd(1, ordering: .relaxed)
        context.configuration.bufferedBytesChanged?(context.configuration.connectionBytes)
        context.watch.connectionOpened()
        switch connection.admission {
        case .admitted: break
        case .answered: context.metrics.reject(.connections)
        case .dropped:
            context.metrics.reject(.connections)
            shutdown(socket, Int32(SHUT_RDWR))
        }
        return connection
    }

    /// The last call of a connection: its socket is closed behind it.
    func closed() {
        let (socket, lingers) = shared.withLock { shared in
            defer { shared.socket = -1 }
            return (shared.socket, shared.lingers)
        }
        if lingers || mayStillSend(socket) { context.watch.linger(socket) }
        context.connections.remove(self)
        context.metrics.gauges.connections.wrappingSubtract(1, ordering: .relaxed)
        context.configuration.bufferedBytesChanged?(-context.configuration.connectionBytes)
    }

    /// Whether the client may not have come to read our last answer yet: what it sends after `close`, or has sent
    /// before unread, makes the system reset the connection, which may overtake that answer.
    private func mayStillSend(_ socket: Int32) -> Bool {
        var byte: UInt8 = 0
        let count = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return count > 0 || (count < 0 && errno == EAGAIN && !hasEndedInOrder)
    }
}
