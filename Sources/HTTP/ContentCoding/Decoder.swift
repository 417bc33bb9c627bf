import CZlib
import CZstd

/// Decompresses a request body as it arrives, in bounded memory. Used by one thread at a time.
final class Decoder {
    private enum Backend {
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    /// RFC 8878 asks decoders for 8 MiB windows at most; a client's frame may not make us allocate more.
    private static let zstdWindowLogMax: Int32 = 23
    private static let chunkBytes = 64 * 1024

    private let coding: ContentCoding
    private let backend: Backend
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 64)
    /// Between members (gzip) or frames (zstd): the body may end here.
    private var isAtBoundary = true

    /// - Returns: nil without memory.
    init?(_ coding: ContentCoding) {
        self.coding = coding
        switch coding {
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let gzipWindow = MAX_WBITS + 16
            guard inflateInit2_(stream, gzipWindow, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else {
                stream.deallocate()
                chunk.deallocate()
                return nil
            }
            backend = .gzip(stream)
        case .zstd:
            guard let context = ZSTD_createDCtx() else {
                chunk.deallocate()
                return nil
            }
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, Self.zstdWindowLogMax)
            backend = .zstd(context)
        }
    }

    deinit {
        chunk.deallocate()
        switch backend {
        case .gzip(let stream):
            inflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeDCtx(context)
        }
    }

    /// Decodes `bytes` and hands the result on piece by piece.
    /// - Throws: `HTTPFailure.malformedContentCoding`, or what `sink` throws: then no more is decoded.
    func decode(_ bytes: UnsafeRawBufferPointer, to sink: (UnsafeRawBufferPointer) throws -> Void) throws {
        var input = bytes
        while true {
            let written =
                switch backend {
                case .gzip(let stream): try inflateStep(stream, &input)
                case .zstd(let context): try zstdStep(context, &input)
                }
            if written > 0 { try sink(UnsafeRawBufferPointer(rebasing: chunk[..<written])) }
            // A full chunk may have left more inside the decoder.
            if input.isEmpty && written < chunk.count { return }
        }
    }

    /// - Throws: `malformedContentCoding` when the coded body is cut off.
    func finish() throws(HTTPFailure) {
        guard isAtBoundary else {
            throw .malformedContentCoding(detail: "the \(coding.token) body is cut off")
        }
    }

    private func inflateStep(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: inout UnsafeRawBufferPointer
    ) throws(HTTPFailure) -> Int {
        let taken = min(input.count, Int(Int32.max))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(taken)
        stream.pointee.next_out = chunk.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(chunk.count)
        let result = inflate(stream, Z_NO_FLUSH)
        let left = Int(stream.pointee.avail_in)
        if left < taken { isAtBoundary = false }
        input = UnsafeRawBufferPointer(rebasing: input[(taken - left)...])
        switch result {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END:
            isAtBoundary = true
            // Another member may follow (RFC 1952, 2.2).
            inflateReset(stream)
        default:
            throw .malformedContentCoding(detail: "the body is not gzip: \(Self.message(stream, result))")
        }
        return chunk.count - Int(stream.pointee.avail_out)
    }

    private func zstdStep(
        _ context: OpaquePointer, _ input: inout UnsafeRawBufferPointer
    ) throws(HTTPFailure) -> Int {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: chunk.baseAddress, size: chunk.count, pos: 0)
        let hint = ZSTD_decompressStream(context, &target, &source)
        guard ZSTD_isError(hint) == 0 else {
            let message = ZSTD_getErrorName(hint).map { String(cString: $0) } ?? "unknown error"
            throw .malformedContentCoding(detail: "the body is not zstd: \(message)")
        }
        if source.pos > 0 || target.pos > 0 { isAtBoundary = hint == 0 }
        input = UnsafeRawBufferPointer(rebasing: input[source.pos...])
        return target.pos
    }

    private static func message(_ stream: UnsafeMutablePointer<z_stream>, _ result: Int32) -> String {
        stream.pointee.msg.map { String(cString: $0) } ?? "error \(result)"
    }
}
