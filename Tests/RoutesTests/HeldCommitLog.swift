import Platform
import StorageEngine

/// A commit log of a test's own: entries wait until the test decides over them.
final class HeldCommitLog: CommitLog {
    let acknowledgement = Acknowledgement.disk
    private let entries = Lock<[CommitEntry]>([])
    private let submitted = WakeUp()

    func submit(_ entry: CommitEntry) {
        entries.withLock { $0.append(entry) }
        submitted.signal()
    }

    /// Decides over the oldest entry, waiting for it if need be.
    func decide(_ decision: (CommitEntry) -> Void) {
        while true {
            let generation = submitted.generation
            if let entry = entries.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) {
                return decision(entry)
            }
            submitted.wait(since: generation)
        }
    }

    func commitNext() { decide { $0.commit() } }

    var configuration: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.makeCommitLog = { [self] _ in self }
        return configuration
    }
}

/// Runs a request on a thread of its own and waits for its answer when asked.
final class Pending<Value: Sendable>: Sendable {
    private let value = Lock<Value?>(nil)
    private let thread: Lock<Thread?>

    init(_ work: @escaping @Sendable () -> Value) {
        thread = Lock(nil)
        let started = Thread(name: "pending") { [self] in
            let result = work()
            value.withLock { $0 = result }
        }
        thread.withLock { $0 = started }
    }

    var isRunning: Bool { value.withLock { $0 == nil } }

    func wait() -> Value? {
        thread.withLock { $0 }?.join()
        return value.withLock { $0 }
    }
}
