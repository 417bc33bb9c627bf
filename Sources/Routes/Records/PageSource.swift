import HTTP
import JSON
import StorageEngine

/// Sends a large page without ever having the whole of it as text: its records stay in their batches until they go out.
final class PageSource: ResponseSource, @unchecked Sendable {
    // Sendable: only the connection's thread calls it, one call after the other.
    private static let pieceBytes = 64 * 1024
    private var text: PageText
    private var sentBytes = 0

    init(_ result: ReadResult, _ form: PageForm) {
        text = PageText(result, form, capacity: 2 * Self.pieceBytes)
    }

    func start(waker: any StreamWaker) {}

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        if sentBytes == text.count {
            if text.isEnded { return .end }
            text.removeWritten()
            sentBytes = 0
            text.write(atLeast: Self.pieceBytes)
            if text.count == 0 { return .end }
        }
        let count = min(buffer.count, text.count - sentBytes)
        buffer.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: text.json.bytes[sentBytes..<sentBytes + count]))
        sentBytes += count
        return .bytes(count)
    }

    func finished() {}
}
