/// Every key that this version has a use for.
extension Setting {
    static let host = Setting("host", .text, .text("127.0.0.1"), "Address to listen on")
    static let port = Setting(
        "port", .integer(0...65535), .integer(7070), "Port to listen on; 0 takes a free one")
    static let insecure = Setting(
        "insecure", .boolean, .boolean(false), "Allow an address that is not loopback, without tokens and TLS"
    )
    static let allowedHosts = Setting(
        "allowed_hosts", .list, .list([]), "Names accepted in Host, beside IP addresses and localhost")
    static let corsOrigins = Setting("cors.origins", .list, .list([]), "Web origins that may use the server")

    static let dataDir = Setting(
        "data_dir", .text, .none, "Directory of logs that are not in memory only; made if it is not there")
    static let maxDisk = Setting(
        "max_disk", .bytes((256 << 20)...Int64.max), .none,
        "Limit of the data directory, at which it counts as full; the disk's own if not given")
    static let checkpointBytes = Setting(
        "checkpoint_bytes", .bytes((1 << 20)...Int64.max), .integer(256 << 20),
        "Write-ahead log between two checkpoints: less starts faster, more writes less")
    static let quarantine = Setting(
        "quarantine", .boolean, .boolean(false),
        "Start although something in the data directory is damaged: it is copied aside, and its records are missing"
    )
    static let mode = Setting(
        "mode", .choice(["memory", "persistent", "hybrid"]), .none,
        "Mode of logs that do not say; persistent with data_dir, else memory")
    static let maxMemory = Setting(
        "max_memory", .bytes((1 << 20)...Int64.max), .none,
        "Memory limit; 80 % of the machine or cgroup if not given")
    static let eviction = Setting(
        "eviction", .choice(["reject", "fifo", "lru", "ttl", "priority"]), .text("reject"),
        "What gives way in full logs that do not say")
    static let watermark = Setting(
        "watermark", .fraction, .fraction(0.9),
        "Share of its memory that a log may fill before records give way")
    static let autoCreate = Setting(
        "auto_create", .boolean, .boolean(true), "Create a log when something is written to it")
    static let testMode = Setting(
        "test_mode", .boolean, .boolean(false),
        "Routes that move the clock and drop everything, for tests: POST /v1/test/clock and /v1/test/reset")
    static let initFile = Setting("init", .text, .none, "File (YAML or JSON) of logs to create at the start")

    static let connections = Setting(
        "limits.connections", .integer(1...1_000_000), .integer(10_000), "Connections at once")
    static let connectionsPerAddress = Setting(
        "limits.connections_per_address", .integer(1...1_000_000), .none,
        "Connections at once from one address")
    static let body = Setting(
        "limits.body", .bytes(1024...(1 << 31)), .integer(8 << 20), "JSON arrays, batches, atomic NDJSON")
    static let value = Setting("limits.value", .bytes(1024...(1 << 31)), .integer(32 << 20), "One value")
    static let bodiesInFlight = Setting(
        "limits.bodies_in_flight", .bytes((1 << 20)...Int64.max), .none,
        "All request bodies together; a tenth of max_memory, or 64 MiB but no more than half, if not given")
    static let headers = Setting(
        "limits.headers", .bytes(1024...(1 << 20)), .integer(32 << 10), "Request headers")
    static let target = Setting(
        "limits.target", .bytes(256...(1 << 20)), .integer(16 << 10), "Path and query")
    static let headerTimeout = Setting(
        "limits.header_timeout", .duration(100...3_600_000), .integer(10_000), "For the headers of a request")
    static let bodyTimeout = Setting(
        "limits.body_timeout", .duration(100...3_600_000), .integer(10_000),
        "For a body, until it must keep the minimum rate")
    static let bodyRate = Setting(
        "limits.body_rate", .bytes(0...(1 << 30)), .integer(1024), "Minimum rate of a body, in bytes a second"
    )
    static let idleTimeout = Setting(
        "limits.idle_timeout", .duration(100...86_400_000), .integer(60_000), "For an idle connection")

    static let duckdbLibrary = Setting(
        "duckdb_library", .text, .none, "DuckDB's shared library, for SQL; found by itself if not given")
    static let sqlMemory = Setting(
        "sql.memory", .bytes((1 << 20)...Int64.max), .none,
        "What queries may take for sorting, grouping, joining; a fifth of max_memory if not given")
    static let sqlThreads = Setting(
        "sql.threads", .integer(1...1024), .none, "Threads of queries; as many as cores if not given")
    static let sqlWorkers = Setting(
        "sql.workers", .integer(1...1024), .integer(4), "Queries that run at once")
    static let sqlQueue = Setting(
        "sql.queue", .integer(0...100_000), .integer(64), "Queries that wait for a worker")
    static let sqlTimeout = Setting(
        "sql.timeout", .duration(1...86_400_000), .integer(30_000), "For a query, its answer included")
    static let sqlMaxRows = Setting(
        "sql.max_rows", .integer(1...Int64.max), .integer(10_000_000), "Rows of an answer")
    static let sqlMaxResultBytes = Setting(
        "sql.max_result_bytes", .bytes(1024...Int64.max), .integer(4 << 30), "Bytes of an answer")

    static let restore = Setting(
        "restore", .text, .none,
        "Directory or s3://bucket/prefix whose newest snapshot becomes the state, but for logs on disk"
    )
    static let allowedLocations = Setting(
        "allowed_locations", .list, .list([]),
        "Directories and s3://bucket/prefix that requests may name, with all below; any if not given")
    static let snapshotsInterval = Setting(
        "snapshots.interval", .duration(1000...31_536_000_000), .none,
        "Time between snapshots that are taken by themselves; none are if not given")
    static let snapshotsLocation = Setting(
        "snapshots.location", .text, .none, "Where snapshots go: a directory, or s3://bucket/prefix")
    static let snapshotsKeep = Setting(
        "snapshots.keep", .integer(1...1_000_000), .integer(7),
        "How many of those that were taken by themselves stay")
    static let snapshotsRestore = Setting(
        "snapshots.restore", .boolean, .boolean(false),
        "Start with the newest snapshot in snapshots.location, if there is one, but for logs on disk")
    static let s3Endpoint = Setting(
        "s3.endpoint", .text, .none,
        "Where S3 is, as https://host:port; AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, or AWS if not given")
    static let s3Region = Setting(
        "s3.region", .text, .none, "Its region; AWS_REGION, AWS_DEFAULT_REGION, or us-east-1 if not given")
    static let s3PathStyle = Setting(
        "s3.path_style", .boolean, .none,
        "Whether buckets are named in paths instead of hosts; if not given, everywhere but at AWS")

    static let logLevel = Setting(
        "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]),
        .text("info"),
        "Least important messages that are logged; read again on SIGHUP")
    static let logFormat = Setting(
        "log.format", .choice(["auto", "text", "json"]), .text("auto"),
        "auto: text on a terminal, JSON lines otherwise")

    static let all: [Setting] = [
        host, port, insecure, allowedHosts, corsOrigins, dataDir, maxDisk, checkpointBytes, quarantine, mode,
        maxMemory, eviction,
        watermark,
        autoCreate,
        initFile, testMode,
        connections, connectionsPerAddress, body, value, bodiesInFlight, headers, target, headerTimeout,
        bodyTimeout,
        bodyRate, idleTimeout, duckdbLibrary, sqlMemory, sqlThreads, sqlWorkers, sqlQueue, sqlTimeout,
        sqlMaxRows, sqlMaxResultBytes, restore, allowedLocations, snapshotsInterval, snapshotsLocation,
        snapshotsKeep, snapshotsRestore, s3Endpoint, s3Region, s3PathStyle, logLevel, logFormat,
    ]

    static let byKey = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })

    /// Documented keys whose feature this version does not have.
    static let later: Set<String> = [
        "tokens_file",
        "external_files.parquet", "external_files.safetensors", "external_files.zarr",
        "tls.certificate", "tls.key", "tls.client_ca",
    ]
}
