import HTTP
import JSON
import Platform
import StorageEngine
import Synchronization

/// Sends a dump without ever having more of it as text than a piece, or one record.
final class DumpSource: ResponseSource, @unchecked Sendable {
    // Sendable: only the connection's thread calls it, one call after the other; what is fetched comes through a lock.
    private static let pieceBytes = 64 * 1024
    private var text: DumpText
    private var sentBytes = 0
    private var waker: (any StreamWaker)?
    private let services: Services
    private var isFetching = false
    private let fetched = Lock<Result<BatchView, any Error>?>(nil)
    private let isOver = Atomic<Bool>(false)

    init(_ cut: StateCut, _ form: DumpForm, _ services: Services) {
        self.services = services
        text = DumpText(
            cut, form, version: services.information.version, capacity: 2 * Self.pieceBytes)
    }

    func start(waker: any StreamWaker) { self.waker = waker }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        if sentBytes == text.count {
            if text.isEnded { return .end }
            text.removeWritten()
            sentBytes = 0
            if isFetching {
                guard let result = fetched.withLock({ $0 }) else { return .wait }
                isFetching = false
                fetched.withLock { $0 = nil }
                // What is missing cannot be told behind what was sent.
                guard case .success(let batch) = result else { return .abort }
                text.goOn(with: batch)
            }
            text.write(atLeast: Self.pieceBytes)
            if text.count == 0, let archived = text.archived {
                return fetch(archived.batch, of: archived.log)
            }
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

    /// From the archive, on a thread that may wait for it.
    private func fetch(_ batch: BatchView, of log: LogState) -> StreamStep {
        guard let waker else { return .abort }
        isFetching = true
        do {
            try services.storeWorkers.run { [self] in
                let result = Result<BatchView, any Error> {
                    try log.loaded(batch) { self.isOver.load(ordering: .relaxed) }
                }
                fetched.withLock { $0 = result }
                waker.wake()
            }
        } catch {
            return .abort
        }
        return .wait
    }

    func finished() {
        waker = nil
        isOver.store(true, ordering: .relaxed)
    }
}
