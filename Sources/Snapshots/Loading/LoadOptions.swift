import StorageEngine

/// Which logs of a snapshot become logs here, and as what.
package struct LoadOptions: Sendable {
    /// Nil: all.
    package var logs: [String]?
    /// New names by old ones.
    package var rename: [String: String] = [:]
    /// Nil: as it was; memory on a server without a data directory.
    package var mode: LogConfiguration.Mode?
    /// Logs that have such names go when all is there.
    package var replaces = false
    /// Logs that are there stay configured as they are.
    var keepsConfiguration = false
    /// Of those, the ones that this says yes to.
    var isWanted: (@Sendable (_ name: String) -> Bool)?
    package init() {}

    /// Those that become logs, by their names there.
    /// - Throws: `logNotFound` for one that is not there, `invalid` for two that would have the same name.
    func choose<Log>(from logs: [Log], _ name: (Log) -> String) throws(SnapshotFailure) -> [Log] {
        let names = Set(logs.map(name))
        for wanted in (self.logs ?? []) + rename.keys.sorted() where !names.contains(wanted) {
            throw .logNotFound(log: wanted)
        }
        let chosen = logs.filter { log in
            (self.logs?.contains(name(log)) ?? true) && (isWanted?(name(log)) ?? true)
        }
        var taken: Set<String> = []
        for log in chosen where !taken.insert(self.name(of: name(log))).inserted {
            throw .invalid(field: "rename", reason: "would make two logs \(self.name(of: name(log)))")
        }
        return chosen
    }

    func choose(from manifest: SnapshotManifest) throws(SnapshotFailure) -> [SnapshotManifest.LogRecord] {
        try choose(from: manifest.logs, \.name)
    }

    /// What a log is called here.
    func name(of log: String) -> String { rename[log] ?? log }
}

extension LogConfiguration {
    /// The same log in another mode: it acknowledges as that mode usually does.
    func changed(to mode: Mode?) -> LogConfiguration {
        guard let mode, mode != self.mode else { return self }
        var changed = self
        changed.mode = mode
        changed.durability.acknowledgement = changed.availableAcknowledgement
        return changed
    }
}
