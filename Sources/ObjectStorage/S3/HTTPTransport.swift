import HTTPClient
import Platform

/// What sends requests: a seam, so that tests can answer them.
protocol HTTPTransport: Sendable {
    func send(
        _ request: ClientRequest, receive: (ClientResponse, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientFailure) -> ClientResponse
}

/// Connections that are kept for the next request, of any thread.
final class ConnectionPool: HTTPTransport {
    private static let idleMax = 8
    /// The one used last is the one whose connection the server has most likely kept.
    private let idle = Lock<[UncheckedConnection]>([])

    func send(
        _ request: ClientRequest, receive: (ClientResponse, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientFailure) -> ClientResponse {
        let kept = idle.withLock { $0.popLast() }
        let connection: UncheckedConnection
        if let kept {
            connection = kept
        } else {
            connection = UncheckedConnection(connection: try ClientConnection())
        }
        // One that failed is let go.
        let response = try connection.connection.send(request, receive: receive)
        idle.withLock { if $0.count < Self.idleMax { $0.append(connection) } }
        return response
    }
}

private struct UncheckedConnection: @unchecked Sendable {
    // Sendable: it is in the pool or with one thread.
    let connection: ClientConnection
}
