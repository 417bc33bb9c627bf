import Platform
import Synchronization

/// Wakes waiting readers on a thread of its own, many at a time, so that an append only sets a flag.
final class Notifier: Sendable {
    private let queue = Lock<[Partition]>([])
    private let wakeUp = WakeUp()
    private let isStopping = Atomic<Bool>(false)

    func enqueue(_ partition: Partition) {
        queue.withLock { $0.append(partition) }
        wakeUp.signal()
    }

    /// Until `stop()`, on a thread of its own.
    func run() {
        while true {
            // Read before everything it guards, or a signal in between is slept through.
            let generation = wakeUp.generation
            if isStopping.load(ordering: .sequentiallyConsistent) { return }
            let partitions = queue.withLock { queue in
                defer { queue = [] }
                return queue
            }
            if partitions.isEmpty {
                wakeUp.wait(since: generation)
            } else {
                for partition in partitions { partition.notifyWaiters() }
            }
        }
    }

    func stop() {
        isStopping.store(true, ordering: .sequentiallyConsistent)
        wakeUp.signal()
    }
}
