import Platform

/// Logs that are made from a snapshot, a dump or an archive, all at once: nobody sees one before all are complete.
///
/// Used by one thread. What is not published when it goes never was.
package final class IncomingLogs {
    private let engine: Engine
    private var logs: [IncomingLog] = []

    package init(_ engine: Engine) { self.engine = engine }

    deinit { engine.drop(logs.map(\.log)) }

    /// - Throws: `invalidConfiguration` for what this server cannot have, `logExists` when the name is taken and is not
    ///   to be replaced, which is looked at again when the logs are published.
    package func add(
        named name: String, _ configuration: LogConfiguration, replacing: Bool
    ) throws(EngineError) -> IncomingLog {
        guard LogNames.isValid(Array(name.utf8)) else {
            throw .invalidConfiguration(field: "name", reason: "\(name.prefix(64)) is the name of no log")
        }
        if !replacing, engine.log(named: name) != nil { throw .logExists(log: name, differences: []) }
        let log = IncomingLog(try engine.addIncoming(named: name, configuration))
        logs.append(log)
        return log
    }

    /// They are there, in the place of those that have their names; of logs on disk, on disk.
    /// - Throws: `logExists`, and what the disk refuses; then nothing has changed.
    package func publish(replacing: Bool) throws(EngineError) {
        let durable = try engine.publish(logs.map(\.log), replacing: replacing)
        // They are there, whatever the disk says.
        logs = []
        try durable.wait()
    }
}

extension Engine {
    fileprivate func addIncoming(
        named name: String, _ configuration: LogConfiguration
    ) throws(EngineError) -> Log {
        try validate(configuration)
        try services.memory.admit(bytes: configuration.partitions * PartitionState.fixedBytes)
        return catalog.withLock { catalog in
            let log = Log(
                LogDescription(
                    id: catalog.takeID(), name: name, epoch: .random(), configuration: configuration),
                services: services)
            catalog.incoming.append(log)
            return log
        }
    }

    fileprivate func drop(_ logs: [Log]) {
        guard !logs.isEmpty else { return }
        catalog.withLock { catalog in
            catalog.incoming.removeAll { incoming in logs.contains { $0 === incoming } }
        }
        for log in logs { log.markDeleted() }
    }

    /// - Returns: done once they survive what their modes promise.
    fileprivate func publish(_ logs: [Log], replacing: Bool) throws(EngineError) -> Outcome<Void> {
        if let storage = services.storage, logs.contains(where: \.isDurable) {
            do throws(CheckpointFailure) { try storage.checkpoint(forced: true) } catch {
                if case .refused(let failure) = error, failure.isNoSpace { throw .diskFull }
                throw .logReadOnly(log: logs[0].name, reason: error.description)
            }
        }
        let (replaced, entry) = try catalog.withLock { catalog throws(EngineError) in
            let replaced = logs.compactMap { catalog.logs[$0.name] }
            if !replacing, let first = replaced.first {
                throw .logExists(log: first.name, differences: [])
            }
            for log in logs {
                catalog.logs[log.name] = log
                services.evictor.add(log)
            }
            catalog.incoming.removeAll { incoming in logs.contains { $0 === incoming } }
            // One frame: all of it or nothing.
            let effects =
                replaced.map { CommitEffect.deleteLog($0.id) } + logs.map { .describeLog($0.description) }
            return (replaced, services.storage?.submit(effects))
        }
        for log in replaced { forget(log) }
        for log in logs { log.afterRecovery() }
        // Logs in memory, and those that they replace, survive nothing: they do not wait for a disk that fails.
        return .decided(by: (logs + replaced).contains(where: \.isDurable) ? entry : nil)
    }
}
