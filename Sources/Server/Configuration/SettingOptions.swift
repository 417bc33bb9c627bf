import ArgumentParser

/// The configuration keys as flags of `serve`. Optional all: one that is not given must not hide the environment.
struct SettingOptions: ParsableArguments {
    @Option(help: ArgumentHelp(Setting.host.help, valueName: "address"))
    var host: String?
    @Option(help: ArgumentHelp(Setting.port.help, valueName: "number"))
    var port: String?
    @Flag(help: ArgumentHelp(Setting.insecure.help))
    var insecure = false
    @Option(help: ArgumentHelp(Setting.allowedHosts.help, valueName: "name,…"))
    var allowedHosts: String?
    @Option(help: ArgumentHelp(Setting.corsOrigins.help, valueName: "origin,…"))
    var corsOrigins: String?
    @Option(help: ArgumentHelp(Setting.dataDir.help, valueName: "directory"))
    var dataDir: String?
    @Option(help: ArgumentHelp(Setting.maxDisk.help, valueName: "size"))
    var maxDisk: String?
    @Option(help: ArgumentHelp(Setting.checkpointBytes.help, valueName: "size"))
    var checkpointBytes: String?
    @Flag(help: ArgumentHelp(Setting.quarantine.help))
    var quarantine = false
    @Option(help: ArgumentHelp(Setting.mode.help, valueName: "mode"))
    var mode: String?
    @Option(help: ArgumentHelp(Setting.maxMemory.help, valueName: "size"))
    var maxMemory: String?
    @Option(help: ArgumentHelp(Setting.eviction.help, valueName: "policy"))
    var eviction: String?
    @Option(help: ArgumentHelp(Setting.watermark.help, valueName: "fraction"))
    var watermark: String?
    @Option(help: ArgumentHelp(Setting.autoCreate.help, valueName: "bool"))
    var autoCreate: String?
    @Option(name: .customLong("init"), help: ArgumentHelp(Setting.initFile.help, valueName: "file"))
    var initFile: String?
    @Flag(help: ArgumentHelp(Setting.testMode.help))
    var testMode = false
    @Option(help: ArgumentHelp(Setting.connections.help, valueName: "number"))
    var limitsConnections: String?
    @Option(help: ArgumentHelp(Setting.connectionsPerAddress.help, valueName: "number"))
    var limitsConnectionsPerAddress: String?
    @Option(help: ArgumentHelp(Setting.body.help, valueName: "size"))
    var limitsBody: String?
    @Option(help: ArgumentHelp(Setting.value.help, valueName: "size"))
    var limitsValue: String?
    @Option(help: ArgumentHelp(Setting.bodiesInFlight.help, valueName: "size"))
    var limitsBodiesInFlight: String?
    @Option(help: ArgumentHelp(Setting.headers.help, valueName: "size"))
    var limitsHeaders: String?
    @Option(help: ArgumentHelp(Setting.target.help, valueName: "size"))
    var limitsTarget: String?
    @Option(help: ArgumentHelp(Setting.headerTimeout.help, valueName: "duration"))
    var limitsHeaderTimeout: String?
    @Option(help: ArgumentHelp(Setting.bodyTimeout.help, valueName: "duration"))
    var limitsBodyTimeout: String?
    @Option(help: ArgumentHelp(Setting.bodyRate.help, valueName: "size"))
    var limitsBodyRate: String?
    @Option(help: ArgumentHelp(Setting.idleTimeout.help, valueName: "duration"))
    var limitsIdleTimeout: String?
    @Option(
        name: .customLong("duckdb-library"), help: ArgumentHelp(Setting.duckdbLibrary.help, valueName: "file")
    )
    var duckdbLibrary: String?
    @Option(help: ArgumentHelp(Setting.sqlMemory.help, valueName: "size"))
    var sqlMemory: String?
    @Option(help: ArgumentHelp(Setting.sqlThreads.help, valueName: "number"))
    var sqlThreads: String?
    @Option(help: ArgumentHelp(Setting.sqlWorkers.help, valueName: "number"))
    var sqlWorkers: String?
    @Option(help: ArgumentHelp(Setting.sqlQueue.help, valueName: "number"))
    var sqlQueue: String?
    @Option(help: ArgumentHelp(Setting.sqlTimeout.help, valueName: "duration"))
    var sqlTimeout: String?
    @Option(help: ArgumentHelp(Setting.sqlMaxRows.help, valueName: "number"))
    var sqlMaxRows: String?
    @Option(help: ArgumentHelp(Setting.sqlMaxResultBytes.help, valueName: "size"))
    var sqlMaxResultBytes: String?
    @Option(help: ArgumentHelp(Setting.restore.help, valueName: "location"))
    var restore: String?
    @Option(help: ArgumentHelp(Setting.allowedLocations.help, valueName: "location,…"))
    var allowedLocations: String?
    @Option(help: ArgumentHelp(Setting.snapshotsInterval.help, valueName: "duration"))
    var snapshotsInterval: String?
    @Option(help: ArgumentHelp(Setting.snapshotsLocation.help, valueName: "location"))
    var snapshotsLocation: String?
    @Option(help: ArgumentHelp(Setting.snapshotsKeep.help, valueName: "number"))
    var snapshotsKeep: String?
    @Flag(help: ArgumentHelp(Setting.snapshotsRestore.help))
    var snapshotsRestore = false
    @Option(name: .customLong("s3-endpoint"), help: ArgumentHelp(Setting.s3Endpoint.help, valueName: "url"))
    var s3Endpoint: String?
    @Option(name: .customLong("s3-region"), help: ArgumentHelp(Setting.s3Region.help, valueName: "name"))
    var s3Region: String?
    @Option(
        name: .customLong("s3-path-style"), help: ArgumentHelp(Setting.s3PathStyle.help, valueName: "bool"))
    var s3PathStyle: String?
    @Option(help: ArgumentHelp(Setting.logLevel.help, valueName: "level"))
    var logLevel: String?
    @Option(help: ArgumentHelp(Setting.logFormat.help, valueName: "format"))
    var logFormat: String?

    /// The texts that were given, by key.
    var given: [String: String] {
        let texts: [(Setting, String?)] = [
            (.host, host),
            (.port, port),
            (.insecure, insecure ? "true" : nil),
            (.allowedHosts, allowedHosts),
            (.corsOrigins, corsOrigins),
            (.dataDir, dataDir),
            (.maxDisk, maxDisk),
            (.checkpointBytes, checkpointBytes),
            (.quarantine, quarantine ? "true" : nil),
            (.mode, mode),
            (.maxMemory, maxMemory),
            (.eviction, eviction),
            (.watermark, watermark),
            (.autoCreate, autoCreate),
            (.testMode, testMode ? "true" : nil),
            (.initFile, initFile),
            (.connections, limitsConnections),
            (.connectionsPerAddress, limitsConnectionsPerAddress),
            (.body, limitsBody),
            (.value, limitsValue),
            (.bodiesInFlight, limitsBodiesInFlight),
            (.headers, limitsHeaders),
            (.target, limitsTarget),
            (.headerTimeout, limitsHeaderTimeout),
            (.bodyTimeout, limitsBodyTimeout),
            (.bodyRate, limitsBodyRate),
            (.idleTimeout, limitsIdleTimeout),
            (.duckdbLibrary, duckdbLibrary), (.sqlMemory, sqlMemory), (.sqlThreads, sqlThreads),
            (.sqlWorkers, sqlWorkers), (.sqlQueue, sqlQueue), (.sqlTimeout, sqlTimeout),
            (.sqlMaxRows, sqlMaxRows), (.sqlMaxResultBytes, sqlMaxResultBytes),
            (.restore, restore), (.allowedLocations, allowedLocations),
            (.snapshotsInterval, snapshotsInterval), (.snapshotsLocation, snapshotsLocation),
            (.snapshotsKeep, snapshotsKeep), (.snapshotsRestore, snapshotsRestore ? "true" : nil),
            (.s3Endpoint, s3Endpoint), (.s3Region, s3Region), (.s3PathStyle, s3PathStyle),
            (.logLevel, logLevel),
            (.logFormat, logFormat),
        ]
        return Dictionary(
            uniqueKeysWithValues: texts.compactMap { setting, text in text.map { (setting.key, $0) } })
    }
}
