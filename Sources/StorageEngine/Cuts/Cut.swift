import Platform

/// Some logs at one instant: what a query, a snapshot or a dump reads.
///
/// Writes over several partitions are applied under all their locks, so a cut never sees half of one.
package struct Cut: Sendable {
    package struct Part: Sendable {
        package let log: Log
        /// As it was at that instant.
        package let configuration: LogConfiguration
        /// By partition, each in the order of offsets: all of them, or those that were chosen.
        package let batches: [BatchView]
        /// Of each partition: where what is readable begins, and where what comes next will be.
        package let bounds: [Range<Int64>]
        /// Of all batches, in the same order, and where the chosen ones are among them. Nil: all were chosen.
        let chosen: (marks: [BatchMark], places: [Int])?

        fileprivate init(_ log: Log, _ batches: Batches) {
            self.log = log
            configuration = log.configuration
            self.batches = batches.views
            bounds = batches.bounds
            chosen = batches.chosen
        }

        /// Where the batch at an index of `batches` is among all.
        @inline(__always)
        package func place(_ index: Int) -> Int { chosen?.places[index] ?? index }
    }

    /// Whether a reader needs a batch. Asked for each batch of a log in order, with its place among them, under locks.
    package typealias Choice = (_ place: Int, _ mark: BatchMark) -> Bool

    /// What had a deadline at or before this is gone.
    package let now: Int64
    package let parts: [Part]

    /// What `body` makes of one instant of the partitions, under the locks of all of them.
    static func take<Value>(
        of partitions: [Partition], _ clock: Clock, locked: () -> Void = {}, _ body: (_ now: Int64) -> Value
    ) -> Value {
        let ordered = partitions.sorted { $0.sequence < $1.sequence }
        for partition in ordered { partition.state.lock() }
        locked()
        let value = body(clock.now())
        for partition in ordered.reversed() { partition.state.unlock() }
        return value
    }
}

/// A log's, while its partitions are locked.
private struct Batches {
    var views: [BatchView] = []
    var bounds: [Range<Int64>] = []
    var chosen: (marks: [BatchMark], places: [Int])?

    init(_ partitions: [Partition], _ choice: Cut.Choice?) {
        var marks: [BatchMark] = []
        var places: [Int] = []
        for partition in partitions {
            partition.state.withLocked { state in
                bounds.append(min(state.first, state.committed)..<state.committed)
                if let choice {
                    state.addViews(
                        partition: partition.number, to: &views, where: choice, marks: &marks, places: &places
                    )
                } else {
                    state.addViews(partition: partition.number, to: &views)
                }
            }
        }
        if choice != nil { chosen = (marks, places) }
    }
}

extension Log {
    /// One instant of all partitions.
    func cut() -> (now: Int64, views: [BatchView]) {
        Cut.take(of: partitions, clock) { now in (now, Batches(partitions, nil).views) }
    }
}

extension Engine {
    /// One instant of all these logs. - Precondition: no log is there twice.
    /// - Parameter choice: which batches of a log are needed; nil: all.
    package func cut(of logs: [Log], choice: (Log, _ now: Int64) -> Cut.Choice? = { _, _ in nil }) -> Cut {
        cut(of: logs, locked: {}, choice: choice)
    }

    /// - Parameter locked: is called while the locks of all their partitions are held.
    func cut(
        of logs: [Log], locked: () -> Void, choice: (Log, _ now: Int64) -> Cut.Choice? = { _, _ in nil }
    ) -> Cut {
        let (now, batches) = Cut.take(of: logs.flatMap(\.partitions), clock, locked: locked) { now in
            (now, logs.map { Batches($0.partitions, choice($0, now)) })
        }
        return Cut(now: now, parts: zip(logs, batches).map { Cut.Part($0, $1) })
    }
}
