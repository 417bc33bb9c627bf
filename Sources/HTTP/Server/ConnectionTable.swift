import CMicroHTTPD
import Platform

/// All open connections, and how many there are from each address.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [UInt64: Connection] = [:]
        var perAddress: [ClientAddress: Int] = [:]
        var nextIdentifier: UInt64 = 1
    }

    enum Admission: Sendable {
        case admitted
        /// The first request is answered with this.
        case answered(HTTPFailure)
        /// Too many are waiting for that answer already.
        case dropped
    }

    /// Connections over the limit that may wait for their 503.
    static let refusedMax = 256

    private let connectionsMax: Int
    private let perAddressMax: Int?
    private let state = Lock(State())

    init(_ configuration: HTTPConfiguration) {
        connectionsMax = configuration.connectionsMax
        perAddressMax = configuration.connectionsPerAddressMax
    }

    func add(from address: ClientAddress, _ make: (UInt64, Admission) -> Connection) -> Connection {
        state.withLock { state in
            let identifier = state.nextIdentifier
            state.nextIdentifier += 1
            var admission = Admission.admitted
            if state.connections.count >= connectionsMax + Self.refusedMax {
                admission = .dropped
            } else if state.connections.count >= connectionsMax {
                admission = .answered(
                    .overloaded(detail: "\(connectionsMax) connections are open", retryAfterSeconds: 1))
            }
            if let perAddressMax {
                let count = state.perAddress[address, default: 0]
                state.perAddress[address] = count + 1
                if count >= perAddressMax, case .admitted = admission {
                    admission = .answered(
                        .overloaded(
                            detail: "\(perAddressMax) connections are open from this address",
                            retryAfterSeconds: 1))
                }
            }
            let connection = make(identifier, admission)
            state.connections[identifier] = connection
            return connection
        }
    }

    func remove(_ connection: Connection) {
        state.withLock { state in
            state.connections[connection.identifier] = nil
            guard perAddressMax != nil, let count = state.perAddress[connection.address] else { return }
            state.perAddress[connection.address] = count > 1 ? count - 1 : nil
        }
    }

    /// The connection of this thread whose head is complete but has not been given to the access handler.
    func refusedByParser() -> Connection? { all.first { $0.isBeforeHandler } }

    subscript(identifier: UInt64) -> Connection? { state.withLock { $0.connections[identifier] } }
    var all: [Connection] { state.withLock { Array($0.connections.values) } }
    var isEmpty: Bool { state.withLock { $0.connections.isEmpty } }
}
