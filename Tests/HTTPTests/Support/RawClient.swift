import Glibc

/// A blocking TCP client that sends exactly the bytes it is given.
final class RawClient {
    struct Answer: Equatable {
        var status: Int
        var fields: [String: String]
        var body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    enum Failure: Error {
        case notConnected
        /// The connection ended in the middle of an answer.
        case unfinished([UInt8])
        case timedOut
        case malformed(String)
    }

    let socket: Int32
    private var received: [UInt8] = []
    private(set) var isAtEnd = false

    init(port: UInt16, receiveBufferBytes: Int32? = nil) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        if var bytes = receiveBufferBytes {
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size))
        }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure.notConnected }
    }

    deinit { close(socket) }

    /// Sends and takes nothing more.
    func hangUp() { shutdown(socket, Int32(SHUT_RDWR)) }

    /// - Returns: false when the other side no longer takes anything.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// A request with a `Host` and, if there is a body, its length.
    @discardableResult
    func request(_ line: String, _ fields: [String] = [], body: [UInt8]? = nil) -> Bool {
        var head = "\(line) HTTP/1.1\r\nHost: localhost\r\n" + fields.map { $0 + "\r\n" }.joined()
        if let body { head += "Content-Length: \(body.count)\r\n" }
        return send(Array((head + "\r\n").utf8) + (body ?? []))
    }

    /// Reads one answer: head, and body by its length, by chunks, or to the end.
    func answer(withoutBody: Bool = false) throws -> Answer {
        var answer = try head()
        if answer.status == 100 { answer = try head() }
        if withoutBody || answer.status == 204 || answer.status == 304 { return answer }
        if let length = answer.fields["content-length"] {
            guard let count = Int(length) else { throw Failure.malformed("Content-Length \(length)") }
            answer.body = try take(count)
        } else if answer.fields["transfer-encoding"] == "chunked" {
            while let chunk = try chunk() { answer.body += chunk }
        } else {
            while try receive() {}
            answer.body = received
            received = []
        }
        return answer
    }

    /// The next chunk of a chunked body; nil for the closing one.
    func chunk() throws -> [UInt8]? {
        guard let size = Int(try line(), radix: 16) else { throw Failure.malformed("chunk size") }
        let bytes = try take(size)
        guard try line() == "" else { throw Failure.malformed("chunk end") }
        return size == 0 ? nil : bytes
    }

    func head() throws -> Answer {
        let status = try line()
        guard status.hasPrefix("HTTP/1.1 "), let code = Int(status.dropFirst(9).prefix(3)) else {
            throw Failure.malformed(status)
        }
        var fields: [String: String] = [:]
        while true {
            let field = try line()
            if field.isEmpty { break }
            guard let colon = field.firstIndex(of: ":") else { throw Failure.malformed(field) }
            let name = field[..<colon].lowercased()
            let value = String(field[field.index(after: colon)...].drop { $0 == " " })
            fields[name] = fields[name].map { "\($0), \(value)" } ?? value
        }
        return Answer(status: code, fields: fields, body: [])
    }

    /// Everything until the connection ends.
    func rest() throws -> [UInt8] {
        while try receive() {}
        defer { received = [] }
        return received
    }

    private func line() throws -> String {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = received[..<end]
                received.removeFirst(end + 1)
                return String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            }
            guard try receive() else { throw Failure.unfinished(received) }
        }
    }

    private func take(_ count: Int) throws -> [UInt8] {
        while received.count < count {
            guard try receive() else { throw Failure.unfinished(received) }
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// - Returns: false at the end.
    private func receive() throws -> Bool {
        if isAtEnd { return false }
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        let count = recv(socket, &chunk, chunk.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) { throw Failure.timedOut }
        if count <= 0 {
            isAtEnd = true
            return false
        }
        received += chunk[..<count]
        return true
    }
}
