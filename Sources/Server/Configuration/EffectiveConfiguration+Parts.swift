import Glibc
import HTTP
import Logging
import Routes
import SQL
import StorageEngine

/// What each part of the server takes from the configuration.
extension EffectiveConfiguration {
    var engine: EngineConfiguration {
        var engine = EngineConfiguration()
        engine.maxMemoryBytes = integer(.maxMemory)
        engine.maxDiskBytes = integer(.maxDisk)
        if let bytes = integer(.checkpointBytes) { engine.checkpointBytes = bytes }
        if let watermark = fraction(.watermark) { engine.watermark = watermark }
        return engine
    }

    var logDefaults: LogConfiguration {
        var defaults = LogConfiguration()
        defaults.mode = logMode
        defaults.durability.acknowledgement = defaults.availableAcknowledgement
        if let watermark = fraction(.watermark) { defaults.memory.watermark = watermark }
        if let eviction = text(.eviction).flatMap({ LogConfiguration.Eviction(rawValue: $0) }) {
            defaults.memory.eviction = eviction
        }
        return defaults
    }

    /// - Throws: `StorageFailure` when it cannot be made or is in use.
    func dataDirectory() throws(StorageFailure) -> DataDirectory? {
        guard let path = text(.dataDir) else { return nil }
        return try DataDirectory(path, quarantines: isOn(.quarantine))
    }

    /// Beside the data, or where the system has such things.
    var scratchDirectory: String {
        text(.dataDir) ?? ConfigurationSource.processEnvironment()["TMPDIR"] ?? "/tmp"
    }

    /// Of logs that do not say.
    var logMode: LogConfiguration.Mode {
        text(.mode).flatMap { LogConfiguration.Mode(rawValue: $0) }
            ?? (text(.dataDir) == nil ? .memory : .persistent)
    }

    var routeLimits: RouteLimits {
        var limits = RouteLimits()
        if let bytes = integer(.value) { limits.valueBytesMax = bytes }
        if let bytes = integer(.body) { limits.batchBytesMax = bytes }
        return limits
    }

    var sql: SQLConfiguration {
        var sql = SQLConfiguration()
        sql.libraryPath = text(.duckdbLibrary)
        sql.unpackedPaths = UnpackedDuckDB.paths
        sql.memoryBytes = integer(.sqlMemory)
        sql.threads = integer(.sqlThreads) ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        if let count = integer(.sqlWorkers) { sql.workers = count }
        if let count = integer(.sqlQueue) { sql.queuedMax = count }
        if let milliseconds = integer(.sqlTimeout) { sql.timeoutMilliseconds = Int64(milliseconds) }
        if let count = integer(.sqlMaxRows) { sql.rowsMax = count }
        if let bytes = integer(.sqlMaxResultBytes) { sql.resultBytesMax = bytes }
        sql.isTestMode = isOn(.testMode)
        sql.ownsProcess = true
        return sql
    }

    /// - Parameter logger: is told when the system allows fewer connections than were asked for.
    func http(_ logger: Logger) -> HTTPConfiguration {
        var http = HTTPConfiguration()
        if let host = text(.host) { http.host = host }
        if let port = integer(.port).flatMap({ UInt16(exactly: $0) }) { http.port = port }
        http.connectionsMax = connectionsMax(logger)
        http.connectionsPerAddressMax = integer(.connectionsPerAddress)
        if let bytes = integer(.headers) { http.headerBytesMax = bytes }
        if let bytes = integer(.target) { http.targetBytesMax = bytes }
        if let bytes = integer(.bodiesInFlight) { http.bodyBytesInFlightMax = bytes }
        if let milliseconds = integer(.headerTimeout) { http.headerTimeoutMilliseconds = Int64(milliseconds) }
        if let milliseconds = integer(.bodyTimeout) { http.bodyTimeoutMilliseconds = Int64(milliseconds) }
        if let milliseconds = integer(.idleTimeout) { http.idleTimeoutMilliseconds = Int64(milliseconds) }
        if let bytes = integer(.bodyRate) { http.bodyBytesPerSecondMin = bytes }
        http.hosts = list(.allowedHosts)
        http.corsOrigins = list(.corsOrigins)
        return http
    }

    var logLevel: Logger.Level { text(.logLevel).flatMap { Logger.Level(rawValue: $0) } ?? .info }

    private func connectionsMax(_ logger: Logger) -> Int {
        let wanted = integer(.connections) ?? HTTPConfiguration().connectionsMax
        guard let descriptors = DescriptorLimit.raise() else { return wanted }
        let possible = max(1, descriptors - DescriptorLimit.reserved)
        guard possible < wanted else { return wanted }
        logger.warning(
            "the system allows fewer connections than configured; raise its limit on open files",
            metadata: [
                "limits.connections": "\(wanted)", "possible": "\(possible)", "open_files": "\(descriptors)",
            ])
        return possible
    }

    /// Combinations that make no sense, or that would be dangerous.
    func validate() throws(UsageFailure) {
        if logMode != .memory, text(.dataDir) == nil {
            throw UsageFailure("mode: \(logMode.rawValue) needs a data directory: add --data-dir")
        }
        let host = text(.host) ?? ""
        if !Self.isLoopback(host), !isOn(.insecure) {
            throw UsageFailure(
                """
                host: \(host) is not a loopback address, and whoever reaches it could read and write everything: \
                there are no tokens and no TLS yet. Add --insecure to say that the network is trusted.
                """)
        }
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
