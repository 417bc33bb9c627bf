import Platform
import Synchronization

/// The bytes of an answer between the thread that runs the query and the connection that sends them: bounded, so that
/// a slow reader holds the query back and not memory.
package final class ResultPipe: Sendable {
    /// An answer that fits is sent whole, with its length, or an error in its place.
    static let headBytesMax = 256 * 1024
    private static let bytesMax = 1024 * 1024

    /// What the reader is told first, once.
    package enum Head: Sendable {
        /// The whole answer.
        case complete([UInt8])
        /// Its beginning waits in the pipe, the rest comes.
        case streaming
        case failure(SQLFailure)
    }

    package enum Step: Sendable, Equatable {
        case bytes(Int)
        case wait
        case end
        case failure(SQLFailure)
    }

    private struct State {
        var bytes: [UInt8] = []
        var readBytes = 0
        var isEnded = false
        var failure: SQLFailure?
        /// Nobody reads any more.
        var isAbandoned = false
        var wake: (@Sendable () -> Void)?
        /// Until it was called.
        var onHead: (@Sendable (Head) -> Void)?

        mutating func takeHead() -> (@Sendable (Head) -> Void)? {
            defer { onHead = nil }
            return onHead
        }

        mutating func forgetRead() -> Int {
            defer { readBytes = 0 }
            bytes.removeSubrange(0..<readBytes)
            return readBytes
        }
    }

    private let state = Lock(State())
    private let hasRoom = WakeUp()
    /// Told of memory taken and given back.
    private let charge: @Sendable (Int) -> Void

    package init(charge: @escaping @Sendable (Int) -> Void) { self.charge = charge }

    deinit { charge(-state.withLock { $0.bytes.count }) }

    /// `tell` is called once, from the thread that runs the query or cancels it.
    func onHead(_ tell: @escaping @Sendable (Head) -> Void) { state.withLock { $0.onHead = tell } }

    // MARK: The query's side

    /// Nothing was written yet, nor told.
    var isUntouched: Bool { state.withLock { $0.bytes.isEmpty && $0.readBytes == 0 && $0.onHead != nil } }

    /// Waits while the pipe is full. - Returns: false when nobody reads any more, or the answer has failed.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        while true {
            let generation = hasRoom.generation
            let outcome = state.withLock { state -> Written in
                if state.isAbandoned || state.failure != nil { return .refused }
                guard state.bytes.count - state.readBytes < Self.bytesMax else { return .full }
                state.bytes.append(contentsOf: bytes)
                return .done(
                    onHead: state.bytes.count > Self.headBytesMax ? state.takeHead() : nil, wake: state.wake)
            }
            switch outcome {
            case .refused: return false
            case .full: break
            case .done(let onHead, let wake):
                charge(bytes.count)
                onHead?(.streaming)
                wake?()
                return true
            }
            hasRoom.wait(since: generation, timeoutNanoseconds: 100_000_000)
        }
    }

    func end() {
        let (onHead, bytes, wake) = state.withLock { state in
            state.isEnded = true
            let onHead = state.takeHead()
            return (onHead, onHead == nil ? [] : state.bytes, state.wake)
        }
        onHead?(.complete(bytes))
        wake?()
    }

    /// In place of the answer, or after its last byte.
    func fail(_ failure: SQLFailure) {
        let (onHead, wake) = state.withLock { state in
            // What is complete stays an answer.
            if state.failure == nil, !state.isEnded { state.failure = failure }
            return (state.takeHead(), state.wake)
        }
        onHead?(.failure(failure))
        wake?()
        hasRoom.signal()
    }

    private enum Written {
        case done(onHead: (@Sendable (Head) -> Void)?, wake: (@Sendable () -> Void)?)
        case full
        case refused
    }

    // MARK: The reader's side

    /// `wake` is called, from any thread, when there may be more to read.
    package func onMore(_ wake: @escaping @Sendable () -> Void) { state.withLock { $0.wake = wake } }

    package func read(into buffer: UnsafeMutableRawBufferPointer) -> Step {
        let (step, freed) = state.withLock { state -> (Step, Int) in
            let count = min(buffer.count, state.bytes.count - state.readBytes)
            if count > 0 {
                state.bytes.withUnsafeBytes { bytes in
                    buffer.copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: bytes[state.readBytes..<state.readBytes + count]))
                }
                state.readBytes += count
                // Moving what is left is rare and at most the other half.
                let isWorthIt = state.readBytes == state.bytes.count || state.readBytes > Self.bytesMax / 2
                return (.bytes(count), isWorthIt ? state.forgetRead() : 0)
            }
            if let failure = state.failure { return (.failure(failure), 0) }
            return (state.isEnded ? .end : .wait, 0)
        }
        if freed > 0 { charge(-freed) }
        hasRoom.signal()
        return step
    }

    /// Nobody reads any more: the query's next write ends it.
    package func abandon() {
        state.withLock { state in
            state.isAbandoned = true
            state.wake = nil
        }
        hasRoom.signal()
    }
}
