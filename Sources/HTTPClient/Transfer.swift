import CCurl
import Glibc

/// What libcurl's callbacks work on during one transfer.
final class Transfer {
    typealias Receive = (ClientResponse, UnsafeRawBufferPointer) -> Bool

    private let receive: Receive
    private let body: ClientRequest.Body
    private let sent: ((UnsafeRawBufferPointer) -> Void)?
    private let isCancelled: (() -> Bool)?
    /// How much of the body has been read.
    private var offset = 0
    private(set) var response = ClientResponse()
    /// The receiver wanted no more.
    private(set) var wasStopped = false
    private(set) var failure: HTTPClientFailure?

    init(_ request: ClientRequest, receive: @escaping Receive) {
        body = request.body
        sent = request.sent
        isCancelled = request.isCancelled
        self.receive = receive
    }

    static let onHeader: pyra_curl_data = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        Transfer.at(context).response.take(line: String(decoding: line, as: UTF8.self))
        return size * count
    }

    static let onData: pyra_curl_data = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        return Transfer.at(context).take(UnsafeRawBufferPointer(start: bytes, count: size * count))
    }

    static let onRead: pyra_curl_data = { bytes, size, count, context in
        guard let bytes, let context else { return Int(CURL_READFUNC_ABORT) }
        return Transfer.at(context).fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    /// Before a body is sent a second time: the server had closed the connection that was kept.
    static let onSeek: pyra_curl_seek = { context, offset, origin in
        guard let context, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
        return Transfer.at(context).seek(to: Int(offset))
    }

    static let onProgress: pyra_curl_progress = { context, _, _, _, _ in
        guard let context, let isCancelled = Transfer.at(context).isCancelled else { return 0 }
        return isCancelled() ? 1 : 0
    }

    private static func at(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        if receive(response, bytes) { return bytes.count }
        wasStopped = true
        return Int(CURL_WRITEFUNC_ERROR)
    }

    private func seek(to target: Int) -> Int32 {
        guard case .pieces = body else { return CURL_SEEKFUNC_CANTSEEK }
        offset = target
        return CURL_SEEKFUNC_OK
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        switch body {
        case .none, .bytes: return 0
        case .file(let descriptor, _): return fill(buffer, from: descriptor)
        case .pieces(let length, let read):
            let count = min(buffer.count, length - offset)
            do {
                try read(offset, UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
            } catch {
                failure = HTTPClientFailure("reading the body: \(error)", kind: .body, cause: error)
                return Int(CURL_READFUNC_ABORT)
            }
            offset += count
            return count
        }
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32) -> Int {
        while true {
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 {
                sent?(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
                return count
            }
            if errno == EINTR { continue }
            failure = HTTPClientFailure(
                "reading the body: \(String(cString: strerror(errno)))", kind: .body)
            return Int(CURL_READFUNC_ABORT)
        }
    }
}
