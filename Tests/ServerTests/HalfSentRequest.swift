import Glibc
import Testing

/// A request that the server waits for the body of, which does not come.
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
        let head =
            "PUT /v1/logs/a/keys/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n"
        _ = Array(head.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        // It has been taken in once the server asks for the body.
        var answer = [UInt8](repeating: 0, count: 1024)
        let count = read(descriptor, &answer, answer.count)
        let line = String(decoding: answer[..<max(0, count)], as: UTF8.self)
        try #require(line.hasPrefix("HTTP/1.1 100 "), "\(line)")
    }

    func close() { _ = Glibc.close(descriptor) }
}
