import CCurl
import Glibc

/// What libcurl's callbacks work on during one transfer.
final class Transfer {
    typealias Receive = (ClientResponse, UnsafeRawBufferPointer) -> Bool

    private let receive: Receive
    private let source: Int32?
    private(set) var response = ClientResponse()
    /// The receiver wanted no more.
    private(set) var wasStopped = false
    private(set) var readFailure: String?

    init(source: Int32?, receive: @escaping Receive) {
        self.source = source
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

    private static func at(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        if receive(response, bytes) { return bytes.count }
        wasStopped = true
        return Int(CURL_WRITEFUNC_ERROR)
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard let source else { return 0 }
        while true {
            let count = read(source, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno == EINTR { continue }
            readFailure = "reading the body: \(String(cString: strerror(errno)))"
            return Int(CURL_READFUNC_ABORT)
        }
    }
}
