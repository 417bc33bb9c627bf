import CMicroHTTPD
import Metrics
import Platform
import Synchronization

extension Connection {
    /// From this size on a body in memory is worth compressing.
    private static let compressedBytesMin = 1025
    /// Up to here it is compressed in one go, beyond it piece by piece as it is sent.
    private static let compressedAtOnceBytesMax = 64 * 1024
    /// From here on a body is sent from where it lies.
    private static let sentInPlaceBytesMin = 16 * 1024

    /// Queues the one answer of a request.
    func send(_ response: consuming Response) -> MHD_Result {
        step = .answered
        var extra: [HeaderField] = []
        if response.mayBeCompressed { negotiateCoding(of: &response, &extra) }
        if let origin { addSharing(with: origin, &response, &extra) }
        guard let handle = makeResponse(response.body, status: response.status) else {
            response.abandon()
            return .NO
        }
        HeadBlock.add(to: handle, response, extra: extra, date: date, now: context.now())
        if response.closesConnection || context.isStopping.load(ordering: .relaxed) {
            MHD_add_response_header(handle, "Connection", "close")
        }
        let now = Clock.monotonicNanoseconds()
        beginSending(nowNanoseconds: now)
        context.metrics.record(
            request?.endpoint, method, status: response.status, nanoseconds: now - startedNanoseconds)
        let result = MHD_queue_response(self.handle, UInt32(response.status), handle)
        MHD_destroy_response(handle)
        return result
    }

    private func negotiateCoding(of response: inout Response, _ extra: inout [HeaderField]) {
        guard (response.body.count ?? .max) >= Self.compressedBytesMin, Self.isCodable(response) else {
            return
        }
        extra.append(HeaderField("Vary", "Accept, Accept-Encoding"))
        let chosen = request?.fields.withValue("Accept-Encoding") { ContentCoding.preferred(in: $0) }
        guard let coding = chosen.flatMap({ $0 }), let coded = encoded(response.body, coding) else {
            return
        }
        response.body = coded
        extra.append(HeaderField("Content-Encoding", coding.token))
    }

    /// A coded body is another representation: it must not carry the tag of the plain one.
    private static func isCodable(_ response: Response) -> Bool {
        guard response.status != 204, response.status != 304, response.lines == nil else { return false }
        return !response.fields.contains { field in
            let name = UnsafeRawBufferPointer(
                start: field.name.utf8Start, count: field.name.utf8CodeUnitCount)
            return ASCII.equalWithoutCase(name, "ETag") || ASCII.equalWithoutCase(name, "Content-Encoding")
        }
    }

    private func encoded(_ body: ResponseBody, _ coding: ContentCoding) -> ResponseBody? {
        switch body {
        case .empty: return nil
        case .stream(let source): return CompressedSource(source, coding).map { .stream($0) }
        case .bytes, .pinned:
            guard body.count ?? 0 > Self.compressedAtOnceBytesMax else {
                return body.withBytes { Encoder.encode($0, coding) }.map { .bytes($0) }
            }
            let owner = BodyOwner(body, context.configuration.bufferedBytesChanged)
            return CompressedSource(MemorySource(owner), coding).map { .stream($0) }
        }
    }

    /// What lets a page of a configured origin read the answer (the Fetch standard's CORS protocol).
    private func addSharing(with origin: String, _ response: inout Response, _ extra: inout [HeaderField]) {
        extra.append(HeaderField("Access-Control-Allow-Origin", origin))
        extra.append(HeaderField("Vary", "Origin"))
        guard method == .options, request?.hasField("Access-Control-Request-Method") == true else {
            let exposed = "ETag, Last-Modified, Location, Retry-After, Allow, Pyralog-Ack, Pyralog-Revision"
            extra.append(
                HeaderField(
                    "Access-Control-Expose-Headers", exposed + ", Pyralog-Expires-At, Pyralog-Query-Id"))
            return
        }
        let methods = Method.allCases.map(\.rawValue).joined(separator: ", ")
        extra.append(HeaderField("Access-Control-Allow-Methods", methods))
        let namesBytesMax = 1024
        if let names = request?.field("Access-Control-Request-Headers"), names.utf8.count <= namesBytesMax {
            extra.append(HeaderField("Access-Control-Allow-Headers", names))
        }
        extra.append(HeaderField("Access-Control-Max-Age", "600"))
    }

    private func makeResponse(_ body: ResponseBody, status: Int) -> OpaquePointer? {
        if case .stream(let source) = body { return makeStream(source) }
        return body.withBytes { bytes in
            context.metrics.sentBytes.add(UInt64(bytes.count))
            guard bytes.count >= Self.sentInPlaceBytesMin else {
                return MHD_create_response_from_buffer(
                    bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress), .RESPMEM_MUST_COPY)
            }
            // An array's elements stay where they are as long as the array is held unchanged.
            let owner = Unmanaged.passRetained(BodyOwner(body, context.configuration.bufferedBytesChanged))
            let handle = MHD_create_response_from_buffer_with_free_callback_cls(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                { owner in
                    if let owner { Unmanaged<BodyOwner>.fromOpaque(owner).release() }
                }, owner.toOpaque())
            if handle == nil { owner.release() }
            return handle
        }
    }

    private func makeStream(_ source: any ResponseSource) -> OpaquePointer? {
        let stream = Unmanaged.passRetained(StreamBody(source, self))
        let unknownBytes = UInt64.max
        let handle = MHD_create_response_from_callback(
            unknownBytes, StreamBody.blockBytes,
            { stream, _, buffer, count in
                guard let stream, let buffer else { return StreamBody.failed }
                return Unmanaged<StreamBody>.fromOpaque(stream).takeUnretainedValue()
                    .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
            }, stream.toOpaque(),
            { stream in
                if let stream { Unmanaged<StreamBody>.fromOpaque(stream).takeRetainedValue().close() }
            })
        if handle == nil { stream.release() }
        return handle
    }
}

/// Keeps a body where it is while it is sent, and charged.
final class BodyOwner {
    let body: ResponseBody
    private let changed: (@Sendable (Int) -> Void)?
    private let chargedBytes: Int

    init(_ body: ResponseBody, _ changed: (@Sendable (Int) -> Void)?) {
        self.body = body
        self.changed = changed
        // What lies in a batch is charged there.
        if case .bytes(let bytes) = body { chargedBytes = bytes.count } else { chargedBytes = 0 }
        if chargedBytes > 0 { changed?(chargedBytes) }
    }

    deinit { if chargedBytes > 0 { changed?(-chargedBytes) } }
}
