import Platform
import Synchronization

/// All metrics of a server: families with help texts, rendered for Prometheus. Not global: tests have one each.
package final class MetricsRegistry: Sendable {
    package init() {}

    /// A metric that only grows. The same name and labels give the same object. Name without `_total` is an error of ours.
    package func counter(_ name: String, help: String, labels: [Label] = []) -> Counter { fatalError("skeleton") }
    package func gauge(_ name: String, help: String, labels: [Label] = []) -> Gauge { fatalError("skeleton") }
    /// - Parameter buckets: upper bounds, ascending, without +Inf.
    package func histogram(_ name: String, help: String, labels: [Label] = [], buckets: [Double]) -> Histogram {
        fatalError("skeleton")
    }

    /// A family whose samples are read when scraped (per log: the labels come and go with the logs).
    package func collect(
        _ name: String, help: String, kind: Kind, _ samples: @escaping @Sendable () -> [Sample]
    ) { fatalError("skeleton") }

    package func render(_ format: Format) -> [UInt8] { fatalError("skeleton") }

    package enum Kind: Sendable { case counter, gauge }
    package enum Format: Sendable { case prometheusText, openMetrics }

    package struct Label: Sendable, Hashable {
        package let name: String
        package let value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package struct Sample: Sendable {
        package let labels: [Label]
        package let value: Double
        package init(_ labels: [Label] = [], _ value: Double) {
            self.labels = labels
            self.value = value
        }
    }
}

package final class Counter: Sendable {
    package func add(_ amount: UInt64 = 1) { fatalError("skeleton") }
    package var value: UInt64 { fatalError("skeleton") }
    init() {}
}

package final class Gauge: Sendable {
    package func add(_ amount: Int64) { fatalError("skeleton") }
    package func set(_ amount: Int64) { fatalError("skeleton") }
    package var value: Int64 { fatalError("skeleton") }
    init() {}
}

package final class Histogram: Sendable {
    package func observe(_ value: Double) { fatalError("skeleton") }
    init() {}
}
