import Foundation
import Glibc

/// Listens on a free port, and answers each connection with the next text whatever it was sent.
final class ScriptedPeer: @unchecked Sendable {
    // Sendable: `requests` is touched under `lock` only.
    struct Failure: Error { let code = errno }

    let port: UInt16
    private let listener: Int32
    private let lock = NSLock()
    private var requests: [String] = []

    /// - Parameter holdsSeconds: how long a connection stays open after its answer.
    init(_ answers: [String], holdsSeconds: UInt32 = 0) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        guard isListening else { throw Failure() }
        Thread.detachNewThread { [self] in
            for answer in answers { serve(answer, holdsSeconds) }
            close(listener)
        }
    }

    /// What the `index`-th connection had sent when it was answered.
    func received(_ index: Int) -> String { lock.withLock { requests[index] } }

    private func serve(_ answer: String, _ holdsSeconds: UInt32) {
        let connection = accept(listener, nil, nil)
        var request: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while !isComplete(request) {
            let count = read(connection, &chunk, chunk.count)
            guard count > 0 else { break }
            request.append(contentsOf: chunk[..<count])
        }
        lock.withLock { requests.append(String(decoding: request, as: UTF8.self)) }
        _ = Array(answer.utf8).withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        if holdsSeconds > 0 { sleep(holdsSeconds) }
        close(connection)
    }

    private func isComplete(_ request: [UInt8]) -> Bool {
        let text = String(decoding: request, as: UTF8.self)
        guard let head = text.range(of: "\r\n\r\n") else { return false }
        let announced = text[..<head.lowerBound].components(separatedBy: "\r\n")
            .first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst("content-length:".count).trimmingCharacters(in: .whitespaces)) }
        return text[head.upperBound...].utf8.count >= announced ?? 0
    }
}
