import CZlib
import CZstd

/// Compresses a stream of bytes. Used by one thread at a time.
final class Encoder {
    enum Directive { case more, flush, finish }

    private enum Backend {
        case gzip(UnsafeMutablePointer<z_stream>)
        case zstd(OpaquePointer)
    }

    private let backend: Backend

    /// Levels that keep up with a network rather than the smallest size.
    private static let gzipLevel: Int32 = 2
    private static let zstdLevel: Int32 = 1

    /// - Returns: nil without memory.
    init?(_ coding: ContentCoding) {
        switch coding {
        case .gzip:
            let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let gzipWindow = MAX_WBITS + 16
            let result = deflateInit2_(
                stream, Self.gzipLevel, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size))
            guard result == Z_OK else {
                stream.deallocate()
                return nil
            }
            backend = .gzip(stream)
        case .zstd:
            guard let context = ZSTD_createCCtx() else { return nil }
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.zstdLevel)
            backend = .zstd(context)
        }
    }

    deinit {
        switch backend {
        case .gzip(let stream):
            deflateEnd(stream)
            stream.deallocate()
        case .zstd(let context): ZSTD_freeCCtx(context)
        }
    }

    /// Takes bytes from the front of `input` and writes what comes out of it.
    ///
    /// - Returns: the bytes written, and whether everything the directive asks for is out; nil on a failure.
    func step(
        _ input: inout UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer,
        _ directive: Directive
    ) -> (written: Int, isDone: Bool)? {
        switch backend {
        case .gzip(let stream): deflateStep(stream, &input, output, directive)
        case .zstd(let context): zstdStep(context, &input, output, directive)
        }
    }

    private func deflateStep(
        _ stream: UnsafeMutablePointer<z_stream>, _ input: inout UnsafeRawBufferPointer,
        _ output: UnsafeMutableRawBufferPointer, _ directive: Directive
    ) -> (written: Int, isDone: Bool)? {
        let taken = min(input.count, Int(Int32.max))
        let room = min(output.count, Int(Int32.max))
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(taken)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(room)
        let flush =
            switch directive {
            case .more: Z_NO_FLUSH
            case .flush: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        let result = deflate(stream, flush)
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else { return nil }
        let left = Int(stream.pointee.avail_in)
        input = UnsafeRawBufferPointer(rebasing: input[(taken - left)...])
        let free = Int(stream.pointee.avail_out)
        let isDone = directive == .finish ? result == Z_STREAM_END : input.isEmpty && free > 0
        return (room - free, isDone)
    }

    private func zstdStep(
        _ context: OpaquePointer, _ input: inout UnsafeRawBufferPointer,
        _ output: UnsafeMutableRawBufferPointer, _ directive: Directive
    ) -> (written: Int, isDone: Bool)? {
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var target = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let end =
            switch directive {
            case .more: ZSTD_e_continue
            case .flush: ZSTD_e_flush
            case .finish: ZSTD_e_end
            }
        let left = ZSTD_compressStream2(context, &target, &source, end)
        guard ZSTD_isError(left) == 0 else { return nil }
        input = UnsafeRawBufferPointer(rebasing: input[source.pos...])
        return (target.pos, directive == .more ? input.isEmpty : left == 0)
    }
}

extension Encoder {
    /// Compresses a whole body at once.
    /// - Returns: nil when it does not get smaller, or on a failure.
    static func encode(_ bytes: UnsafeRawBufferPointer, _ coding: ContentCoding) -> [UInt8]? {
        guard let encoder = Encoder(coding) else { return nil }
        var isComplete = false
        let result = [UInt8](unsafeUninitializedCapacity: bytes.count) { output, count in
            var input = bytes
            let room = UnsafeMutableRawBufferPointer(output)
            guard let (written, isDone) = encoder.step(&input, into: room, .finish) else { return }
            count = written
            isComplete = isDone
        }
        return isComplete ? result : nil
    }
}
