import HTTP
import JSON
import Metrics
import Platform
import Routes
import StorageEngine

/// A server without a socket: the whole table over a real engine, on a clock that only the test moves.
final class API: Sendable {
    static let start: Int64 = 1_790_000_000_000

    let clock = Clock(frozenAt: API.start)
    let engine: Engine
    let services: Services
    let router: Router

    init(
        limits: RouteLimits = RouteLimits(), createsLogs: Bool = true, engine: EngineConfiguration = .init(),
        configuration: [ConfigurationEntry] = [], testMode: TestMode? = nil
    ) {
        let metrics = MetricsRegistry()
        self.engine = Engine(configuration: engine, clock: clock, metrics: metrics)
        services = Services(
            engine: self.engine, metrics: metrics, configuration: configuration, limits: limits,
            createsLogs: createsLogs, testMode: testMode)
        router = services.router()
        self.engine.start()
    }

    deinit {
        services.stop()
        engine.stop()
    }

    func advance(milliseconds: Int64) {
        clock.advance(milliseconds: milliseconds)
        engine.clockMoved()
    }

    @discardableResult
    func call(
        _ method: Method, _ target: String, _ body: String = "", _ fields: [String: String] = [:]
    ) -> CollectedResponse {
        call(method, target, bytes: Array(body.utf8), fields)
    }

    @discardableResult
    func call(
        _ method: Method, _ target: String, bytes: [UInt8], _ fields: [String: String] = [:]
    ) -> CollectedResponse {
        router.respond(
            to: Request(method, target, fields: fields.map { ($0.key, $0.value) }, body: bytes))
    }
}

extension CollectedResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// `.null` for what is no JSON.
    var json: JSONValue {
        do { return try ControlJSON.parse(body) } catch { return .null }
    }

    var code: String? { json["code"]?.stringValue }
    var revision: String { field("Pyralog-Revision") ?? "none" }
    var entityTag: String { field("ETag") ?? "none" }
}

extension JSONValue {
    static func parse(_ text: String) -> JSONValue {
        do { return try ControlJSON.parse(Array(text.utf8)) } catch { return .string("no JSON: \(error)") }
    }

    subscript(_ index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}
