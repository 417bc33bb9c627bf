import CMicroHTTPD
import Glibc

/// A bound and listening socket. Whoever takes the socket closes it.
struct Listener {
    let socket: Int32
    let port: UInt16

    private static let backlog: Int32 = 1024

    /// - Parameters:
    ///   - host: an address, or a name with one.
    ///   - port: 0 takes a free one.
    init(host: String, port: UInt16) throws(HTTPStartFailure) {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var addresses: UnsafeMutablePointer<addrinfo>?
        let unresolved = getaddrinfo(host, String(port), &hints, &addresses)
        guard unresolved == 0, let address = addresses else {
            let reason = String(cString: gai_strerror(unresolved))
            throw HTTPStartFailure(description: "no address for host \(host): \(reason)", addressInUse: false)
        }
        defer { freeaddrinfo(addresses) }
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(address.pointee.ai_family, kind, 0)
        guard socket >= 0 else { throw Self.failure(host, port) }
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        guard bind(socket, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
            listen(socket, Self.backlog) == 0, let bound = Self.port(of: socket)
        else {
            let failure = Self.failure(host, port)
            Glibc.close(socket)
            throw failure
        }
        self.socket = socket
        self.port = bound
    }

    func close() { Glibc.close(socket) }

    private static func failure(_ host: String, _ port: UInt16) -> HTTPStartFailure {
        let code = errno
        return HTTPStartFailure(
            description: "cannot listen on \(host):\(port): \(SystemError.text(code))",
            addressInUse: code == EADDRINUSE)
    }

    private static func port(of socket: Int32) -> UInt16? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getsockname(socket, address, &length) == 0 else { return nil }
                // The port lies at the same place in both families.
                return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                    UInt16(bigEndian: $0.pointee.sin_port)
                }
            }
        }
    }
}
