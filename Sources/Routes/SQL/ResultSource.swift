import HTTP
import JSON
import Platform
import SQL

/// A long result on its way out. When the query fails behind the first byte, its problem follows as a line of its own
/// where the form is text, and the body stays unfinished.
final class ResultSource: ResponseSource, @unchecked Sendable {
    // Sendable: `frame` belongs to the connection's thread.
    private let query: Query
    /// What is still to be sent of the error.
    private var frame: [UInt8]?

    init(_ query: Query) { self.query = query }

    func start(waker: any StreamWaker) { query.pipe.onMore { waker.wake() } }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> StreamStep {
        if frame == nil {
            switch query.pipe.read(into: buffer) {
            case .bytes(let count): return .bytes(count)
            case .wait: return .wait
            case .end: return .end
            case .failure(let failure): frame = query.request.format.isText ? Self.frame(failure) : []
            }
        }
        guard let rest = frame, !rest.isEmpty else { return .abort }
        let count = min(buffer.count, rest.count)
        rest.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        frame = Array(rest.dropFirst(count))
        return .bytes(count)
    }

    func finished() { query.abandon() }

    private static func frame(_ failure: SQLFailure) -> [UInt8] {
        let document = JSONValue.object([.init("error", Problem(failure).document)])
        return [UInt8(ascii: "\n")] + ControlJSON.serialize(document) + [UInt8(ascii: "\n")]
    }
}
