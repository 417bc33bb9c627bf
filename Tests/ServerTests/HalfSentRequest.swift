import Glibc
import Testing

/// A request whose body does not come.
final class HalfSentRequest {
    private let descriptor: Int32

    init(port: String) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = try #require(UInt16(port)).bigEndian
        let descriptor = self.descriptor
        let isConnected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        try #require(isConnected)
        let head = "PUT /v1/logs/a/keys/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345"
        _ = Array(head.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    func close() { _ = Glibc.close(descriptor) }
}
