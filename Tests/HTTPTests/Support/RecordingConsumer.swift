import Platform

@testable import HTTP

/// Takes a streamed body and notes what happens to it.
final class RecordingConsumer: BodyConsumer {
    enum Refusal: Error { case enough }

    private struct State {
        var events: [String] = []
        var bytes: [UInt8] = []
    }

    private let state = Lock(State())
    private let bytesMax: Int

    init(bytesMax: Int = .max) { self.bytesMax = bytesMax }

    var events: [String] { state.withLock { $0.events } }
    var bytes: [UInt8] { state.withLock { $0.bytes } }

    func consume(_ bytes: UnsafeRawBufferPointer) throws {
        let count = state.withLock { state in
            state.bytes += bytes
            return state.bytes.count
        }
        if count > bytesMax { throw Refusal.enough }
    }

    func finish() throws -> Reply {
        state.withLock { $0.events.append("finished") }
        return .now(Response(status: 200, body: .bytes(Array(String(bytes.count).utf8))))
    }

    func cancelled() { state.withLock { $0.events.append("cancelled") } }
}
