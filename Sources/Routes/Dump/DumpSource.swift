import HTTP
import JSON
import StorageEngine

/// Sends a dump without ever having more of it as text than a piece, or one record.
final class DumpSource: ResponseSource, @unchecked Sendable {
    // Sendable: only the connection's thread calls it, one call after the other.
    private static let pieceBytes = 64 * 1024
    private var text: DumpText
    private var sentBytes = 0
    private var waker: (any StreamWaker)?

    init(_ cut: StateCut, _ form: DumpForm, _ services: Services) {
        text = DumpText(
            cut, form, version: services.information.version, capacity: 2 * Self.pieceBytes)
    }

    func start(waker: any StreamWaker) { self.waker = waker }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        if sentBytes == text.count {
            if text.isEnded { return .end }
            text.removeWritten()
            sentBytes = 0
            text.write(atLeast: Self.pieceBytes)
            if text.count == 0, !text.isEnded {
                // Others come first, then it goes on.
                waker?.wake()
                return .wait
            }
            if text.count == 0 { return .end }
        }
        let count = min(buffer.count, text.count - sentBytes)
        buffer.copyMemory(
            from: UnsafeRawBufferPointer(rebasing: text.json.bytes[sentBytes..<sentBytes + count]))
        sentBytes += count
        return .bytes(count)
    }

    func finished() { waker = nil }
}
