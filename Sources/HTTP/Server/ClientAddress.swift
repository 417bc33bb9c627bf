import CMicroHTTPD

/// Whom a connection counts against: an IPv4 address, or an IPv6 network of 64 bits, which is what one customer gets.
struct ClientAddress: Hashable, Sendable {
    private let network: UInt64
    private let isVersion4: Bool

    init(_ address: UnsafePointer<sockaddr>?) {
        guard let address else {
            network = 0
            isVersion4 = false
            return
        }
        let raw = UnsafeRawPointer(address)
        isVersion4 = Int32(address.pointee.sa_family) == AF_INET
        if isVersion4 {
            network = UInt64(raw.assumingMemoryBound(to: sockaddr_in.self).pointee.sin_addr.s_addr)
        } else {
            let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
            network = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        }
    }
}
