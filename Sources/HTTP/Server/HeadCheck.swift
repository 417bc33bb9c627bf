import CMicroHTTPD

/// One pass over the header fields of a request: what libmicrohttpd lets through and a proxy in front may read
/// otherwise is found here. Works on the connection's own bytes and makes nothing.
struct HeadCheck {
    private(set) var host: UnsafeRawBufferPointer?
    private(set) var origin: UnsafeRawBufferPointer?
    private(set) var contentCoding: UnsafeRawBufferPointer?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    /// Whether there is a field whose name begins with `If-`.
    private(set) var isConditional = false
    private(set) var fieldCount = 0
    private var transferEncoding: UnsafeRawBufferPointer?
    private var hasContentType = false
    private var hasAuthorization = false
    private var failure: HTTPFailure?
    /// Where the value of the field before ends in the connection's memory.
    private var previousEnd: UnsafeRawPointer?

    var expectsBody: Bool { isChunked || (contentLength ?? 0) > 0 }

    private let layoutTells: Bool

    private init(layoutTells: Bool) { self.layoutTells = layoutTells }

    static func run(
        _ connection: OpaquePointer, method: UnsafePointer<CChar>, isVersion10: Bool, layoutTells: Bool
    ) throws(HTTPFailure) -> HeadCheck {
        var check = HeadCheck(layoutTells: layoutTells)
        withUnsafeMutablePointer(to: &check) { check in
            _ = MHD_get_connection_values_n(
                connection, .HEADER_KIND,
                { context, _, name, nameBytes, value, valueBytes in
                    guard let context, let name else { return .NO }
                    let isFine = context.assumingMemoryBound(to: HeadCheck.self).pointee.visit(
                        UnsafeRawBufferPointer(start: name, count: nameBytes),
                        UnsafeRawBufferPointer(start: value, count: value == nil ? 0 : valueBytes))
                    return isFine ? .YES : .NO
                }, check)
        }
        if let failure = check.failure { throw failure }
        try check.conclude(isVersion10: isVersion10)
        if layoutTells, let last = check.previousEnd {
            let end = UnsafeRawPointer(method) + pyra_head_bytes(connection)
            guard (2...4).contains(end - last) else {
                throw .badFraming(detail: "a header field holds a NUL byte")
            }
        }
        return check
    }

    /// - Returns: false to end the pass.
    private mutating func visit(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        fieldCount += 1
        for byte in name where !Self.isTokenByte(byte) {
            failure = .badFraming(detail: "a header name holds a byte that is not allowed there")
            return false
        }
        if layoutTells, !isUnbroken(name, value) { return false }
        if ASCII.hasPrefixWithoutCase(name, "if-") { isConditional = true }
        switch name.count {
        case 4 where ASCII.equalWithoutCase(name, "host"):
            guard host == nil else { return refuse("more than one Host") }
            host = value
        case 6 where ASCII.equalWithoutCase(name, "origin"):
            guard origin == nil else { return refuse("more than one Origin") }
            origin = value
        case 12 where ASCII.equalWithoutCase(name, "content-type"):
            guard !hasContentType else { return refuse("more than one Content-Type") }
            hasContentType = true
        case 13 where ASCII.equalWithoutCase(name, "authorization"):
            guard !hasAuthorization else { return refuse("more than one Authorization") }
            hasAuthorization = true
        case 16 where ASCII.equalWithoutCase(name, "content-encoding"):
            guard contentCoding == nil else { return refuse("more than one Content-Encoding") }
            contentCoding = value
        case 14...: return visitFraming(name, value)
        default: break
        }
        return true
    }

    private mutating func visitFraming(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer)
        -> Bool
    {
        if ASCII.equalWithoutCase(name, "content-length") {
            guard contentLength == nil else { return refuse("more than one Content-Length") }
            guard let length = Self.length(value) else {
                return refuse("a Content-Length that is not a number")
            }
            contentLength = length
        } else if ASCII.equalWithoutCase(name, "transfer-encoding") {
            guard transferEncoding == nil else { return refuse("more than one Transfer-Encoding") }
            transferEncoding = value
        } else if ASCII.hasPrefixWithoutCase(name, "content-length")
            || ASCII.hasPrefixWithoutCase(name, "transfer-encoding")
        {
            // A folded line behind a framing field is appended to its name.
            return refuse("a header whose name merely begins like a framing header")
        }
        return true
    }

    private mutating func conclude(isVersion10: Bool) throws(HTTPFailure) {
        if let transferEncoding {
            if contentLength != nil {
                throw .badFraming(detail: "Transfer-Encoding together with Content-Length")
            }
            if isVersion10 { throw .badFraming(detail: "Transfer-Encoding in a HTTP/1.0 request") }
            guard ASCII.equalWithoutCase(transferEncoding, "chunked") else { throw .unknownTransferEncoding }
            isChunked = true
        }
        if host == nil && !isVersion10 { throw .badFraming(detail: "a HTTP/1.1 request without Host") }
    }

    /// Notes where the field lies and sees whether its line was one line.
    private mutating func isUnbroken(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    {
        guard let nameStart = name.baseAddress, let valueStart = value.baseAddress else { return true }
        let nameEnd = nameStart + name.count
        let blanks = valueStart - nameEnd - 1
        // A folded line makes the parser move the name behind everything received.
        guard blanks >= 0, blanks < 1 << 20 else { return refuse("a folded header line") }
        if let previousEnd, !(1...2).contains(nameStart - previousEnd) {
            return refuse("a folded header line or a NUL byte in a header field")
        }
        previousEnd = valueStart + value.count
        return true
    }

    private mutating func refuse(_ detail: String) -> Bool {
        failure = .badFraming(detail: detail)
        return false
    }

    private static func length(_ value: UnsafeRawBufferPointer) -> Int? {
        guard !value.isEmpty else { return nil }
        var length = 0
        for byte in value {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (shifted, overflow) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflowToo) = shifted.addingReportingOverflow(Int(byte - 0x30))
            if overflow || overflowToo { return Int.max }
            length = sum
        }
        return length
    }

    /// RFC 9110, 5.6.2: the bytes below 64 and those from 64 to 127 as one bit each.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        let low: UInt64 = 0x03FF_6CFA_0000_0000
        let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
        if byte < 64 { return low >> UInt64(byte) & 1 == 1 }
        return byte < 128 && high >> UInt64(byte - 64) & 1 == 1
    }
}
