import Metrics
import Synchronization

/// The counters of one method of one route, found once and then reached by the status alone.
final class RouteMetrics: @unchecked Sendable {
    // Sendable: `counters` is allocated in `init`, its elements are atomic.
    private static let statuses = [
        200, 201, 202, 204, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 406, 408, 409, 410,
        411, 412,
        413, 414, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431, 500, 501, 502, 503, 504, 505, 507,
    ]
    /// For each status its place among the counters; the last is for all others.
    private static let places: [UInt8] = (0..<600).map { status in
        UInt8(statuses.firstIndex(of: status) ?? statuses.count)
    }
    private static let bucketSeconds: [Double] = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
        2.5, 5, 10,
        30,
    ]

    private let registry: MetricsRegistry
    private let method: String
    private let route: String
    private let counters: UnsafeMutablePointer<AtomicLazyReference<Counter>>
    private let durations = AtomicLazyReference<Histogram>()

    init(_ registry: MetricsRegistry, method: String, route: String) {
        self.registry = registry
        self.method = method
        self.route = route
        counters = .allocate(capacity: Self.statuses.count + 1)
        for place in 0...Self.statuses.count { (counters + place).initialize(to: AtomicLazyReference()) }
    }

    deinit {
        counters.deinitialize(count: Self.statuses.count + 1)
        counters.deallocate()
    }

    func record(status: Int, nanoseconds: Int64) {
        let place = status >= 0 && status < Self.places.count ? Int(Self.places[status]) : Self.statuses.count
        let counter = counters[place].load() ?? counters[place].storeIfNil(makeCounter(place))
        counter.add()
        let histogram = durations.load() ?? durations.storeIfNil(makeHistogram())
        histogram.observe(Double(nanoseconds) * 1e-9)
    }

    private func makeCounter(_ place: Int) -> Counter {
        let status = place < Self.statuses.count ? String(Self.statuses[place]) : "other"
        return registry.counter(
            "pyralog_http_requests_total", help: "Requests answered.",
            labels: [.init("method", method), .init("route", route), .init("status", status)])
    }

    private func makeHistogram() -> Histogram {
        registry.histogram(
            "pyralog_http_request_duration_seconds",
            help: "From the complete head of a request to its response being ready to send.",
            labels: [.init("route", route)], buckets: Self.bucketSeconds)
    }
}
