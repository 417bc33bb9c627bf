import HTTP
import Metrics
import Platform
import Routes
import StorageEngine

/// A server without a socket, without threads of its own that do anything, on a clock that stands still: what is
/// executed depends on nothing but the scenario.
struct Bench {
    let engine: Engine
    let router: Router

    init() {
        let metrics = MetricsRegistry()
        engine = Engine(configuration: .init(), clock: Clock(frozenAt: 1_790_000_000_000), metrics: metrics)
        router = Services(engine: engine, metrics: metrics).router()
    }

    func log(_ name: String, _ change: (inout LogConfiguration) -> Void = { _ in }) throws -> Log {
        var configuration = LogConfiguration()
        change(&configuration)
        return try engine.createLog(named: name, configuration).log
    }

    /// A log with the values of `count` keys.
    func keyed(_ count: Int, _ value: [UInt8]) throws -> Log {
        let log = try log("keyed") { $0.compaction = .keys }
        for key in 0..<UInt64(count) { try put(key, value, log) }
        return log
    }

    func put(_ key: UInt64, _ value: [UInt8], _ log: Log) throws {
        try withUnsafeBytes(of: key) { _ = try log.put(key: $0.bytes, value: value.span.bytes, PutOptions()) }
    }

    /// - Parameter status: what must come back.
    func call(_ method: Method, _ target: String, type: String, _ body: [UInt8], status: Int) {
        let fields = [("Host", "localhost"), ("Content-Type", type), ("Content-Length", String(body.count))]
        let response = router.respond(
            to: Request(method, target, fields: body.isEmpty ? [fields[0]] : fields, body: body))
        precondition(response.status == status, "\(target): \(response.status)")
    }
}

/// What callgrind counts: it knows it by its name.
@inline(never)
func countedPart(_ run: () throws -> Void) throws { try run() }
