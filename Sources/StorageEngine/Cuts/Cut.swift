import Platform

/// Some logs at one instant: what a query, a snapshot or a dump reads.
///
/// Writes over several partitions are applied under all their locks, so a cut never sees half of one.
package struct Cut: Sendable {
    package struct Part: Sendable {
        package let log: Log
        /// As it was at that instant.
        package let configuration: LogConfiguration
        /// By partition, each in the order of offsets.
        package let batches: [BatchView]
        /// Of each partition: where what is readable begins, and where what comes next will be.
        package let bounds: [Range<Int64>]
    }

    /// What had a deadline at or before this is gone.
    package let now: Int64
    package let parts: [Part]

    /// By partition, in the order given. - Complexity: O(batches), under the locks of all the partitions.
    /// - Parameter locked: is called while they are held.
    static func views(
        of partitions: [Partition], _ clock: Clock, locked: () -> Void = {}
    ) -> (now: Int64, views: [(bounds: Range<Int64>, batches: [BatchView])]) {
        let ordered = partitions.sorted { $0.sequence < $1.sequence }
        for partition in ordered { partition.state.lock() }
        locked()
        let now = clock.now()
        let views = partitions.map { partition in
            partition.state.withLocked { state in
                (
                    min(state.first, state.committed)..<state.committed,
                    state.views(partition: partition.number)
                )
            }
        }
        for partition in ordered.reversed() { partition.state.unlock() }
        return (now, views)
    }
}

extension Log {
    /// One instant of all partitions.
    func cut() -> (now: Int64, views: [BatchView]) {
        let (now, views) = Cut.views(of: partitions, clock)
        return (now, views.flatMap(\.batches))
    }
}

extension Engine {
    /// One instant of all these logs. - Precondition: no log is there twice.
    package func cut(of logs: [Log]) -> Cut { cut(of: logs) {} }

    /// - Parameter locked: is called while the locks of all their partitions are held.
    func cut(of logs: [Log], locked: () -> Void) -> Cut {
        let (now, views) = Cut.views(of: logs.flatMap(\.partitions), clock, locked: locked)
        var next = 0
        let parts = logs.map { log in
            defer { next += log.partitionCount }
            let own = views[next..<next + log.partitionCount]
            return Cut.Part(
                log: log, configuration: log.configuration,
                batches: own.count == 1 ? own[next].batches : own.flatMap(\.batches),
                bounds: own.map(\.bounds))
        }
        return Cut(now: now, parts: parts)
    }
}
