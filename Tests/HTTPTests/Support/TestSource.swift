import Platform

@testable import HTTP

/// A streamed answer that says what the test tells it to.
final class TestSource: ResponseSource {
    private struct State {
        var pieces: [[UInt8]] = []
        var isOver = false
        var breaksOff = false
        var finishedCount = 0
        var waker: (any StreamWaker)?
    }

    private let state: Lock<State>

    init(pieces: [[UInt8]] = []) { state = Lock(State(pieces: pieces)) }

    var finishedCount: Int { state.withLock { $0.finishedCount } }
    var hasStarted: Bool { state.withLock { $0.waker != nil } }

    func route(_ pattern: String, mayBeCompressed: Bool = false) -> Route {
        Route(.get, pattern) { _ in
            var response = Response(status: 200, contentType: "text/plain", body: .stream(self))
            response.mayBeCompressed = mayBeCompressed
            return .now(response)
        }
    }

    func say(_ bytes: [UInt8]) {
        state.withLock { $0.pieces.append(bytes) }
        wake()
    }

    func end() {
        state.withLock { $0.isOver = true }
        wake()
    }

    func breakOff() {
        state.withLock { $0.breaksOff = true }
        wake()
    }

    func wake() { state.withLock { $0.waker }?.wake() }

    func start(waker: any StreamWaker) { state.withLock { $0.waker = waker } }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        state.withLock { state in
            guard let piece = state.pieces.first else {
                return state.breaksOff ? .abort : state.isOver ? .end : .wait
            }
            let count = min(piece.count, buffer.count)
            buffer.copyBytes(from: piece[..<count])
            if count == piece.count {
                state.pieces.removeFirst()
            } else {
                state.pieces[0].removeFirst(count)
            }
            return .bytes(count)
        }
    }

    func finished() { state.withLock { $0.finishedCount += 1 } }
}
