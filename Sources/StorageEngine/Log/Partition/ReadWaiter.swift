import Platform
import Synchronization

/// A reader that waits for a partition's tail to pass an offset; made by `Log.waitForRecords`.
package final class ReadWaiter: Sendable {
    /// Wakes once the tail is beyond this.
    let offset: Int64
    private let wake: @Sendable () -> Void
    private let isOver = Atomic<Bool>(false)
    private let partition: Partition

    init(partition: Partition, offset: Int64, wake: @escaping @Sendable () -> Void) {
        self.partition = partition
        self.offset = offset
        self.wake = wake
    }

    /// After it returned, `wake` is not called any more unless it was already under way.
    package func cancel() {
        isOver.store(true, ordering: .sequentiallyConsistent)
        partition.remove(self)
    }

    func fire() {
        if !isOver.exchange(true, ordering: .sequentiallyConsistent) { wake() }
    }
}

extension Partition {
    /// Nil when the tail is already beyond the offset.
    func wait(beyond offset: Int64, _ wake: @escaping @Sendable () -> Void) -> ReadWaiter? {
        let waiter = ReadWaiter(partition: self, offset: offset, wake: wake)
        let isWaiting = state.withLock { state in
            guard state.committed <= offset, !state.isDeleted else { return false }
            state.waiters[ObjectIdentifier(waiter)] = waiter
            return true
        }
        return isWaiting ? waiter : nil
    }

    func remove(_ waiter: ReadWaiter) {
        state.withLock { _ = $0.waiters.removeValue(forKey: ObjectIdentifier(waiter)) }
    }

    /// On the notifier's thread: wakes all whose offset the tail has passed.
    func notifyWaiters() {
        let ready = state.withLock { state in
            state.notifierKnows = false
            let ready = state.waiters.values.filter { $0.offset < state.committed }
            for waiter in ready { state.waiters.removeValue(forKey: ObjectIdentifier(waiter)) }
            return ready
        }
        for waiter in ready { waiter.fire() }
    }

    func wakeAllWaiters() {
        for waiter in state.withLock({ $0.takeAllWaiters() }) { waiter.fire() }
    }
}
