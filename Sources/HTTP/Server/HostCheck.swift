/// Which `Host` and `Origin` a request may carry: against pages of other sites and names rebound to this address.
struct HostCheck: Sendable {
    private let hosts: [[UInt8]]
    private let checksHost: Bool
    private let origins: [[UInt8]]
    private let allowsAllOrigins: Bool

    init(_ configuration: HTTPConfiguration) {
        hosts = configuration.hosts.map { Array($0.lowercased().utf8) }
        checksHost = configuration.checksHost
        origins = configuration.corsOrigins.map { Array($0.lowercased().utf8) }
        allowsAllOrigins = configuration.corsOrigins.contains("*")
    }

    func check(host: UnsafeRawBufferPointer?, origin: UnsafeRawBufferPointer?) throws(HTTPFailure) {
        // Only HTTP/1.0 requests come here without one.
        if checksHost, let host, !isOwn(host) { throw .misdirected(host: ASCII.text(host)) }
        if let origin, !isOwn(origin: origin, host: host), !allowsAcrossOrigins(origin) {
            throw .originForbidden(origin: ASCII.text(origin))
        }
    }

    /// Whether pages of that origin may read answers.
    func allowsAcrossOrigins(_ origin: UnsafeRawBufferPointer) -> Bool {
        allowsAllOrigins || origins.contains { Self.equal(origin, $0) }
    }

    private func isOwn(origin: UnsafeRawBufferPointer, host: UnsafeRawBufferPointer?) -> Bool {
        guard let host else { return false }
        for scheme: StaticString in ["http://", "https://"]
        where ASCII.hasPrefixWithoutCase(origin, scheme) {
            return ASCII.equalWithoutCase(
                UnsafeRawBufferPointer(rebasing: origin[scheme.utf8CodeUnitCount...]), host)
        }
        return false
    }

    private func isOwn(_ host: UnsafeRawBufferPointer) -> Bool {
        let name = Self.withoutPort(host)
        return Self.isAddress(name) || ASCII.equalWithoutCase(name, "localhost")
            || hosts.contains { Self.equal(name, $0) || Self.equal(host, $0) }
    }

    private static func withoutPort(_ host: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var end = host.count
        while end > 0, (0x30...0x39).contains(host[end - 1]) { end -= 1 }
        guard end > 0, host[end - 1] == UInt8(ascii: ":") else { return host }
        return UnsafeRawBufferPointer(rebasing: host[..<(end - 1)])
    }

    /// Four numbers up to 255 with dots between, or anything of hexadecimal digits, colons and dots in brackets.
    private static func isAddress(_ name: UnsafeRawBufferPointer) -> Bool {
        if name.first == UInt8(ascii: "[") {
            guard name.count > 3, name.last == UInt8(ascii: "]") else { return false }
            return name[1..<(name.count - 1)].allSatisfy { byte in
                (0x30...0x3A).contains(byte) || byte == UInt8(ascii: ".")
                    || (0x61...0x66).contains(ASCII.lowercased(byte))
            }
        }
        var parts = 1
        var digits = 0
        var number = 0
        for byte in name {
            if byte == UInt8(ascii: ".") {
                guard digits > 0 else { return false }
                parts += 1
                digits = 0
                number = 0
            } else {
                guard (0x30...0x39).contains(byte), digits < 3 else { return false }
                digits += 1
                number = number * 10 + Int(byte - 0x30)
                guard number <= 255 else { return false }
            }
        }
        return parts == 4 && digits > 0
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ lowercased: [UInt8]) -> Bool {
        guard bytes.count == lowercased.count else { return false }
        for index in 0..<bytes.count where ASCII.lowercased(bytes[index]) != lowercased[index] {
            return false
        }
        return true
    }
}
