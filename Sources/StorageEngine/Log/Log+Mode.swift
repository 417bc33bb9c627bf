import Platform

/// A log on its way from one mode to another.
package struct ModeTransition: Sendable, Equatable {
    package let from: LogConfiguration.Mode
    package let to: LogConfiguration.Mode
    package let startedAt: Int64
    /// Why it was given up; nil while it runs. The log stays in the mode that it had.
    package var failure: String?
}

// Changing the mode while readers and writers go on. Until it is complete a crash recovers by the old mode, and writes are
// acknowledged as the weaker of the two would.
extension Log {
    /// What a checkpoint says of the log: one that holds all rows of a log that is to become durable makes it so.
    var descriptionOnDisk: LogDescription {
        var description = description
        if let target = transitionTarget { description.configuration = target }
        return description
    }

    func checkpointed(_ tails: [Int64]) {
        for (partition, tail) in zip(partitions, tails) {
            partition.state.withLock { $0.checkpointed(upTo: tail) }
        }
    }

    func needsCheckpoint(now: Int64) -> Bool {
        partitions.contains { $0.state.withLock { $0.needsCheckpoint(now: now) } }
    }

    /// Runs on a thread that may wait.
    ///
    /// - Parameter commitLog: for the new mode; nil: entries commit at once.
    /// - Throws: why it could not be completed; call `restore` then.
    func change(
        to target: LogConfiguration, commitLog: (any CommitLog)?, _ storage: Storage
    ) throws(ModeChangeFailure) {
        let weaker = min(partitions[0].acknowledgement, commitLog?.acknowledgement ?? .memory)
        for partition in partitions { partition.acknowledgement = weaker }
        if target.mode != .hybrid { try archive.bringBack(self) }
        if target.mode == .persistent {
            // First the rows that come, then, by a checkpoint, those that are there.
            swap(commitLog, durableID: id, to: target)
            setTransitionTarget(target)
            defer { setTransitionTarget(nil) }
            // Of a hybrid log all of it: the write-ahead log has only what comes.
            do throws(CheckpointFailure) { try storage.checkpoint(forced: true) } catch {
                throw .init("\(error)")
            }
            update(target)
            guard storage.submitAndWait(.updateLog(id, target)) else {
                throw .init("the write-ahead log failed")
            }
        } else {
            let entry = setTransitionTarget(target) { storage.submit(.updateLog(id, target)) }
            guard storage.wait(for: entry) else { throw .init("the write-ahead log failed") }
            swap(commitLog, durableID: target.mode == .memory ? nil : id, to: target)
            update(target)
            if target.mode == .memory { for partition in partitions { partition.enterMemory() } }
        }
        let acknowledgement = commitLog?.acknowledgement ?? .memory
        for partition in partitions {
            partition.acknowledgement = acknowledgement
            partition.usualAcknowledgement = target.durability.acknowledgement
        }
    }

    /// Back to how it was: the change could not be completed.
    func restore(_ configuration: LogConfiguration, _ commitLog: (any CommitLog)?) {
        swap(commitLog, durableID: configuration.mode == .memory ? nil : id, to: configuration)
        for partition in partitions {
            partition.acknowledgement = commitLog?.acknowledgement ?? .memory
            partition.usualAcknowledgement = configuration.durability.acknowledgement
        }
    }

    /// In recovery: the log goes on as another mode does.
    func recover(as configuration: LogConfiguration, _ commitLog: (any CommitLog)?) {
        update(configuration)
        restore(configuration, commitLog)
    }

    /// Commit log and policy change at one instant: a checkpoint sees the old mode or the new one.
    private func swap(_ commitLog: (any CommitLog)?, durableID: LogID?, to target: LogConfiguration) {
        let policy = policy(of: target)
        for partition in partitions { partition.state.lock() }
        for partition in partitions {
            partition.state.withLocked { state in
                // What is pending is committed by the old one, and what comes meanwhile waits behind it.
                if commitLog == nil, !state.pending.isEmpty { state.sharedCommitLog = state.commitLog }
                if target.mode == .hybrid { state.diskTailWanted = state.assigned }
                state.commitLog = commitLog
                state.durableID = durableID
                state.policy = policy
                state.submittedBytes = state.appendedBytes
                if durableID == nil { state.forgetDisk() }
            }
        }
        for partition in partitions.reversed() { partition.state.unlock() }
    }
}

struct ModeChangeFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension PartitionState {
    /// Nothing of it is on disk any more.
    fileprivate mutating func forgetDisk() {
        diskTail = 0
        diskTailWanted = 0
        uncertainDeaths = []
        for batch in list.batches { batch.stored = nil }
    }
}
