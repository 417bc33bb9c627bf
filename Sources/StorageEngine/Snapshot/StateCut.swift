import Platform

/// Everything that some logs are at one instant: what snapshots and dumps are made from.
package struct StateCut: Sendable {
    package let now: Int64
    package var logs: [LogState]
}

/// A log at that instant.
package struct LogState: Sendable {
    let description: LogDescription
    /// By number.
    package var partitions: [PartitionState]
    package let producers: [ProducerCall]
    private let log: Log

    package var name: String { description.name }
    package var configuration: LogConfiguration { description.configuration }

    /// The same rows of one of its batches with all their columns, which `encodeRows` and whoever reads values needs:
    /// fetched where they are in the archive.
    /// - Parameter isCancelled: asked now and then while it waits.
    package func loaded(
        _ view: BatchView, isCancelled: @Sendable () -> Bool = { false }
    ) throws(EngineError) -> BatchView { try log.loaded(view, isCancelled: isCancelled) }

    package struct PartitionState: Sendable {
        /// Where what is readable begins, and where what comes next will be.
        package let bounds: Range<Int64>
        /// In the order of offsets; each keeps memory for as long as it is held.
        package var batches: [BatchView]
    }
}

extension Engine {
    /// One instant of the logs that are chosen: of a transaction everything or nothing, of logs that it creates too.
    /// - Parameter choose: no log twice; is called again when logs have come or gone meanwhile.
    package func stateCut<Failure: Error>(
        choosing choose: () throws(Failure) -> [Log]
    ) throws(Failure) -> StateCut {
        while true {
            let generation = catalog.withLock { $0.generation }
            let logs = try choose()
            // Calls of producers are noted under these: none comes between the rows and what is known of it.
            let ordered = logs.sorted { $0.id.rawValue < $1.id.rawValue }
            for log in ordered { log.producers.lock() }
            var isSame = false
            var calls: [LogID: [ProducerCall]] = [:]
            let cut = cut(of: logs) {
                isSame = catalog.withLock { $0.generation } == generation
                for log in logs { calls[log.id] = log.producers.withLocked { $0.allCalls } }
            }
            for log in ordered.reversed() { log.producers.unlock() }
            if isSame {
                return StateCut(now: cut.now, logs: cut.parts.map { LogState($0, calls[$0.log.id] ?? []) })
            }
        }
    }

    package func stateCut(of logs: [Log]) -> StateCut { stateCut { logs } }
}

extension LogState {
    fileprivate init(_ part: Cut.Part, _ calls: [ProducerCall]) {
        var description = part.log.description
        description.configuration = part.configuration
        self.description = description
        partitions = part.bounds.map { PartitionState(bounds: $0, batches: []) }
        for view in part.batches { partitions[view.partition].batches.append(view) }
        log = part.log
        // Those whose rows are all there, whether their writers know it yet or not.
        producers = calls.filter { call in
            call.ranges.allSatisfy { range in
                part.bounds.indices.contains(range.partition)
                    && range.end.rawValue <= part.bounds[range.partition].upperBound
            }
        }
    }
}
