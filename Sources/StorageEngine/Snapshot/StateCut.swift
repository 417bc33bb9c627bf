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
    /// One instant of all these logs: of a transaction everything or nothing. - Precondition: no log is there twice.
    package func stateCut(of logs: [Log]) -> StateCut {
        let cut = cut(of: logs)
        return StateCut(now: cut.now, logs: cut.parts.map { LogState($0) })
    }
}

extension LogState {
    fileprivate init(_ part: Cut.Part) {
        var description = part.log.description
        description.configuration = part.configuration
        self.description = description
        partitions = part.bounds.map { PartitionState(bounds: $0, batches: []) }
        for view in part.batches { partitions[view.partition].batches.append(view) }
        log = part.log
        // Calls go on being made: those that wrote something behind the instant are not part of it.
        producers = part.log.producers.withLock { $0.decidedCalls }.filter { call in
            call.ranges.allSatisfy { range in
                part.bounds.indices.contains(range.partition)
                    && range.end.rawValue <= part.bounds[range.partition].upperBound
            }
        }
    }
}
