import Platform

/// What a callback was told, from any thread.
final class Recorder: Sendable {
    private let lines = Lock<[String]>([])

    func record(_ line: String) { lines.withLock { $0.append(line) } }
    var all: [String] { lines.withLock { $0 } }
}
