import Metrics
import Synchronization

/// The metrics of the HTTP layer. Labels come from the route table only.
final class ServerMetrics: Sendable {
    let gauges = ServerGauges()
    let receivedBytes: Counter
    let sentBytes: Counter
    /// A place for each endpoint; then those of requests that no route took, a place a method and the last for methods
    /// nobody knows.
    private let routes: [RouteMetrics]
    private let unmatchedStart: Int
    private let rejections: [Counter]

    init(_ registry: MetricsRegistry, _ endpoints: [Endpoint]) {
        unmatchedStart = endpoints.count
        let labels = endpoints.map { ($0.method.rawValue, $0.pattern) }
        let unmatched = (Method.allCases.map(\.rawValue) + ["other"]).map { ($0, "unmatched") }
        routes = (labels + unmatched).map { RouteMetrics(registry, method: $0, route: $1) }
        rejections = Rejection.allCases.map { reason in
            registry.counter(
                "pyralog_http_rejected_total",
                help: "Requests and connections turned away by the server itself.",
                labels: [.init("reason", reason.rawValue)])
        }
        receivedBytes = registry.counter(
            "pyralog_http_received_bytes_total", help: "Bytes of request bodies, as sent by clients.")
        sentBytes = registry.counter(
            "pyralog_http_sent_bytes_total", help: "Bytes of response bodies, as sent to clients.")
        Self.collect(gauges, registry)
    }

    func record(_ endpoint: Endpoint?, _ method: Method?, status: Int, nanoseconds: Int64) {
        let place = endpoint?.index ?? unmatchedStart + (method?.index ?? Method.allCases.count)
        routes[place].record(status: status, nanoseconds: nanoseconds)
    }

    func reject(_ reason: Rejection) { rejections[reason.index].add() }

    private static func collect(_ gauges: ServerGauges, _ registry: MetricsRegistry) {
        registry.collect("pyralog_http_connections", help: "Open connections.", kind: .gauge) {
            [.init([], Double(gauges.connections.load(ordering: .relaxed)))]
        }
        registry.collect(
            "pyralog_http_suspended_requests", help: "Requests and streams that wait for something.",
            kind: .gauge
        ) {
            [.init([], Double(gauges.suspended.load(ordering: .relaxed)))]
        }
        registry.collect(
            "pyralog_http_request_body_bytes_in_flight",
            help: "Decoded bytes of request bodies held in memory.",
            kind: .gauge
        ) {
            [.init([], Double(gauges.bodyBytesInFlight.load(ordering: .relaxed)))]
        }
    }
}
