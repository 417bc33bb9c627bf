/// A stream whose bytes are compressed on their way; what a waiting source has said so far is flushed to the client.
final class CompressedSource: ResponseSource, @unchecked Sendable {
    // Sendable: after `init` only the thread that reads the stream touches it.
    private static let chunkBytes = 16 * 1024

    private let source: any ResponseSource
    private let encoder: Encoder
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkBytes, alignment: 64)
    private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
    private var directive = Encoder.Directive.more
    private var isFlushed = true
    private var isComplete = false

    /// - Returns: nil without memory.
    init?(_ source: any ResponseSource, _ coding: ContentCoding) {
        guard let encoder = Encoder(coding) else {
            chunk.deallocate()
            return nil
        }
        self.source = source
        self.encoder = encoder
    }

    deinit { chunk.deallocate() }

    func start(waker: any StreamWaker) { source.start(waker: waker) }
    func finished() { source.finished() }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        var used = 0
        while true {
            if isComplete { return used > 0 ? .bytes(used) : .end }
            if !pending.isEmpty || directive != .more {
                let room = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
                guard let (written, isDone) = encoder.step(&pending, into: room, directive) else {
                    return .abort
                }
                used += written
                guard isDone else { return .bytes(used) }
                if directive == .finish { isComplete = true }
                if directive == .flush { isFlushed = true }
                directive = .more
                if used == buffer.count { return .bytes(used) }
                continue
            }
            switch source.read(into: chunk) {
            case .bytes(let count) where count > 0:
                pending = UnsafeRawBufferPointer(rebasing: chunk[..<min(count, chunk.count)])
                isFlushed = false
            case .bytes, .wait:
                if isFlushed { return used > 0 ? .bytes(used) : .wait }
                directive = .flush
            case .end: directive = .finish
            case .abort: return .abort
            }
        }
    }
}
