import HTTP
import JSON
import Metrics
import Platform
import StorageEngine

/// The handlers that say how the server is.
struct OperatingRoutes: Sendable {
    let services: Services

    func index(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("name", "pyralog")
            json.member("version", services.information.version)
            json.key("links")
            json.object { json in
                json.member("logs", "/v1/logs")
                json.member("log", "/v1/logs/{log}")
                json.member("records", "/v1/logs/{log}/records")
                json.member("keys", "/v1/logs/{log}/keys")
                json.member("key", "/v1/logs/{log}/keys/{key}")
                json.member("transactions", "/v1/transactions")
                json.member("sql", "/v1/sql")
                json.member("queries", "/v1/queries")
                json.member("dump", "/v1/dump")
                json.member("memory", "/v1/memory")
                json.member("info", "/v1/info")
                json.member("config", "/v1/config")
                json.member("metrics", "/metrics")
                json.member("live", "/livez")
                json.member("ready", "/readyz")
            }
        }
        return .now(.json(json))
    }

    func livez(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        return .now(.json(.object([.init("status", .string("live"))])))
    }

    func readyz(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        if services.readiness.isRecovering { throw Problem.recovering(services) }
        guard services.readiness.isReady else { throw Problem.notReady("the server is starting or stopping") }
        if let reason = services.engine.storageFailure {
            throw Problem.notReady("logs on disk are read-only until the server is started again: \(reason)")
        }
        return .now(.json(.object([.init("status", .string("ready"))])))
    }

    func info(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        let information = services.information
        var json = JSONWriter(capacity: 512)
        json.object { json in
            json.member("name", "pyralog")
            json.member("version", information.version)
            if let commit = information.commit { json.member("commit", commit) }
            json.member("started_at", information.startedAt)
            json.member("uptime_ms", max(0, services.clock.now() &- information.startedAt))
            json.key("memory")
            json.object { json in
                json.member("used_bytes", services.engine.memoryUsedBytes)
                json.member("limit_bytes", services.engine.memoryLimitBytes)
            }
            json.key("limits")
            json.object { json in
                json.member("value_bytes", services.limits.valueBytesMax)
                json.member("batch_bytes", services.limits.batchBytesMax)
                json.member("key_bytes", RouteLimits.keyBytesMax)
                json.member("keys_per_call", RouteLimits.keysPerCallMax)
                json.member("partitions", LogConfiguration.partitionsMax)
                json.member("json_depth", RecordParser.depthMax)
            }
        }
        return .now(.json(json))
    }

    func configuration(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var json = JSONWriter(capacity: 1024)
        json.object { json in
            json.key("config")
            json.object { json in
                for entry in services.configuration {
                    json.key(entry.key)
                    json.object { json in
                        json.member("value", entry.value)
                        json.member("source", entry.source.rawValue)
                    }
                }
            }
        }
        return .now(.json(json))
    }
}
