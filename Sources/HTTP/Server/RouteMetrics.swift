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
    private static let bucketSeconds: [Double] = [
        0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
        2.5, 5, 10,
        30,
    ]

    private let registry: MetricsRegistry
    private let method: String
    private let route: String
    /// For each status from 0 to 599 its place among the counters; the last is for all others.
    private let places: [UInt8]
    /// Retained by this object, nil until first used: metrics show what has happened only.
    private let counters: UnsafeMutablePointer<Atomic<UnsafeRawPointer?>>
    private let durations = Atomic<UnsafeRawPointer?>(nil)

    init(_ registry: MetricsRegistry, method: String, route: String) {
        self.registry = registry
        self.method = method
        self.route = route
        places = Self.places
        counters = .allocate(capacity: Self.statuses.count + 1)
        for place in 0...Self.statuses.count { (counters + place).initialize(to: Atomic(nil)) }
    }

    deinit {
        for place in 0...Self.statuses.count {
            if let known = counters[place].load(ordering: .relaxed) {
                Unmanaged<Counter>.fromOpaque(known).release()
            }
        }
        counters.deinitialize(count: Self.statuses.count + 1)
        counters.deallocate()
        if let known = durations.load(ordering: .relaxed) { Unmanaged<Histogram>.fromOpaque(known).release() }
    }

    func record(status: Int, nanoseconds: Int64) {
        let place = status >= 0 && status < places.count ? Int(places[status]) : Self.statuses.count
        let counter = counters[place].load(ordering: .acquiring) ?? makeCounter(place)
        Unmanaged<Counter>.fromOpaque(counter)._withUnsafeGuaranteedRef { $0.add() }
        let histogram = durations.load(ordering: .acquiring) ?? makeHistogram()
        Unmanaged<Histogram>.fromOpaque(histogram)._withUnsafeGuaranteedRef {
            $0.observe(Double(nanoseconds) * 1e-9)
        }
    }

    private static let places: [UInt8] = (0..<600).map { status in
        UInt8(statuses.firstIndex(of: status) ?? statuses.count)
    }

    private func makeCounter(_ place: Int) -> UnsafeRawPointer {
        let status = place < Self.statuses.count ? String(Self.statuses[place]) : "other"
        let counter = registry.counter(
            "pyralog_http_requests_total", help: "Requests answered.",
            labels: [.init("method", method), .init("route", route), .init("status", status)])
        return Self.publish(counter, in: counters[place])
    }

    private func makeHistogram() -> UnsafeRawPointer {
        let histogram = registry.histogram(
            "pyralog_http_request_duration_seconds",
            help: "From the complete head of a request to its response being ready to send.",
            labels: [.init("route", route)], buckets: Self.bucketSeconds)
        return Self.publish(histogram, in: durations)
    }

    /// Two threads may come here at once, with the same object: one of them keeps it.
    private static func publish<Metric: AnyObject>(
        _ metric: Metric, in place: borrowing Atomic<UnsafeRawPointer?>
    ) -> UnsafeRawPointer {
        let retained = Unmanaged.passRetained(metric)
        let pointer = UnsafeRawPointer(retained.toOpaque())
        let (isFirst, _) = place.compareExchange(
            expected: nil, desired: pointer, ordering: .acquiringAndReleasing)
        if !isFirst { retained.release() }
        return pointer
    }
}
