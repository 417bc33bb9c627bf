/// Bytes in memory as a stream, so that compressing many of them is done piece by piece, not in one go on a server thread.
final class MemorySource: ResponseSource, @unchecked Sendable {
    // Sendable: after `init` only the thread that reads the stream touches it.
    private let owner: BodyOwner
    private var position = 0

    init(_ owner: BodyOwner) { self.owner = owner }

    func start(waker: any StreamWaker) {}
    func finished() {}

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        let copied = owner.body.withBytes { bytes in
            let count = min(buffer.count, bytes.count - position)
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<(position + count)]))
            return count
        }
        position += copied
        return copied == 0 ? .end : .bytes(copied)
    }
}

extension ResponseBody {
    /// The bytes of a body that is in memory; none of a stream.
    func withBytes<Result>(_ use: (UnsafeRawBufferPointer) -> Result) -> Result {
        switch self {
        case .empty, .stream: use(UnsafeRawBufferPointer(start: nil, count: 0))
        case .bytes(let bytes): bytes.withUnsafeBytes(use)
        case .pinned(let pinned): use(pinned.bytes)
        }
    }

    /// The length, where it is known.
    var count: Int? {
        switch self {
        case .empty: 0
        case .bytes(let bytes): bytes.count
        case .pinned(let pinned): pinned.bytes.count
        case .stream: nil
        }
    }
}
