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
    /// Of those, the ones that this says yes to.
    var isWanted: (@Sendable (_ name: String) -> Bool)?
    package init() {}

    /// - Throws: `logNotFound` for one that is not in the snapshot, `invalid` for two of the same name.
    func choose(from manifest: SnapshotManifest) throws(SnapshotFailure) -> [SnapshotManifest.LogRecord] {
        let names = Set(manifest.logs.map(\.name))
        for name in logs ?? [] where !names.contains(name) { throw .logNotFound(log: name) }
        for name in rename.keys.sorted() where !names.contains(name) { throw .logNotFound(log: name) }
        let chosen = manifest.logs.filter { log in
            (logs?.contains(log.name) ?? true) && (isWanted?(log.name) ?? true)
        }
        var taken: Set<String> = []
        for log in chosen where !taken.insert(name(of: log)).inserted {
            throw .invalid(field: "rename", reason: "would make two logs \(name(of: log))")
        }
        return chosen
    }

    func name(of log: SnapshotManifest.LogRecord) -> String { rename[log.name] ?? log.name }
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
