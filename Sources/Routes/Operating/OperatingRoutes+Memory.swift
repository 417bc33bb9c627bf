import HTTP
import JSON
import StorageEngine

extension OperatingRoutes {
    private static let logsMax = 1000

    /// The ledger of memory: in all, and by log, the largest first.
    func memory(_ request: Request) throws -> Reply {
        let query = try QueryReader(request, allowed: ["prefixes", "limit"])
        let withPrefixes = try query.boolean("prefixes") ?? false
        let limit = try query.integer("limit", in: 0...Self.logsMax) ?? 100
        // Statistics take the lock of each partition, and prefixes look at thousands of keys.
        return try services.reply(onWorkerTo: request) { [services] in
            let logs = services.engine.logs(prefix: "", startAfter: nil, limit: .max).logs
                .map { LogLedger($0) }.sorted { ($1.usedBytes, $0.log.name) < ($0.usedBytes, $1.log.name) }
            return Self.response(services.engine, logs, limit: limit, withPrefixes: withPrefixes)
        }
    }

    /// One log's row.
    private struct LogLedger {
        let log: Log
        let usedBytes: Int
        let records: Int
        let evicted: Int

        init(_ log: Log) {
            self.log = log
            let statistics = log.statistics()
            usedBytes = MemoryKind.allCases.reduce(0) { $0 + log.memoryBytes($1) }
            records = statistics.reduce(0) { $0 + $1.records }
            evicted = statistics.reduce(0) { $0 + $1.evicted }
        }
    }

    private static func response(_ engine: Engine, _ logs: [LogLedger], limit: Int, withPrefixes: Bool)
        -> Response
    {
        let used = engine.memoryUsedBytes
        let share = Double(used) / Double(max(1, engine.memoryLimitBytes))
        var json = JSONWriter(capacity: 512 + 256 * min(limit, logs.count))
        json.beginObject()
        json.member("usage_percent", (share * 10_000).rounded() / 100)
        json.member("used_bytes", used)
        json.member("limit_bytes", engine.memoryLimitBytes)
        json.member("record_count", logs.reduce(0) { $0 + $1.records })
        json.member("eviction_count", logs.reduce(0) { $0 + $1.evicted })
        json.key("kinds")
        json.object { json in
            for kind in MemoryKind.allCases {
                json.key(kind.rawValue); json.integer(engine.memory.bytes(kind))
            }
        }
        json.key("logs")
        json.beginArray()
        for ledger in logs.prefix(limit) { append(ledger, withPrefixes, &json) }
        json.endArray()
        json.member("has_more", logs.count > limit)
        json.endObject()
        return .json(json)
    }

    private static func append(_ ledger: LogLedger, _ withPrefixes: Bool, _ json: inout JSONWriter) {
        let memory = ledger.log.configuration.memory
        json.beginObject()
        json.member("name", ledger.log.name)
        json.member("used_bytes", ledger.usedBytes)
        json.member("limit_bytes", orNull: memory.maxBytes.map { Int64($0) })
        json.member("eviction", memory.eviction.rawValue)
        json.member("record_count", ledger.records)
        json.member("eviction_count", ledger.evicted)
        json.key("kinds")
        json.object { json in
            for kind in MemoryKind.allCases {
                json.key(kind.rawValue); json.integer(ledger.log.memoryBytes(kind))
            }
        }
        if withPrefixes {
            json.key("prefixes")
            json.beginArray()
            for prefix in KeyPrefixes.largest(of: ledger.log, bytes: ledger.usedBytes) {
                json.beginObject()
                prefix.bytes.withUnsafeBytes { json.bytesMember("prefix", base64: "prefix_base64", $0) }
                json.member("share_percent", (prefix.share * 10_000).rounded() / 100)
                json.member("estimated_keys", prefix.estimatedKeys)
                json.member("estimated_bytes", prefix.estimatedBytes)
                json.endObject()
            }
            json.endArray()
        }
        json.endObject()
    }
}
