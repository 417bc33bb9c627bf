import Platform

/// All metrics of a server: families with help texts, rendered for Prometheus. Not global: tests have one each.
///
/// Asking for a metric takes a lock and builds strings: ask once and keep the object. A name that is asked for
/// again with another kind, help or buckets is a mistake of ours and traps, as does a malformed name.
package final class MetricsRegistry: Sendable {
    private let families = Lock<[String: Family]>([:])

    package init() {}

    /// A metric that only grows. The same name and labels give the same object. Its name must end in `_total`.
    package func counter(_ name: String, help: String, labels: [Label] = []) -> Counter {
        member(name, help, .counter, labels, make: { .counter(Counter()) }) { metric in
            if case .counter(let counter) = metric { counter } else { nil }
        }
    }

    /// A metric that goes up and down. The same name and labels give the same object.
    package func gauge(_ name: String, help: String, labels: [Label] = []) -> Gauge {
        member(name, help, .gauge, labels, make: { .gauge(Gauge()) }) { metric in
            if case .gauge(let gauge) = metric { gauge } else { nil }
        }
    }

    /// A distribution. The same name and labels give the same object.
    ///
    /// - Parameter buckets: upper bounds, ascending, without +Inf.
    package func histogram(_ name: String, help: String, labels: [Label] = [], buckets: [Double]) -> Histogram
    {
        member(name, help, .histogram, labels, make: { .histogram(Histogram(bounds: buckets)) }) { metric in
            if case .histogram(let histogram) = metric, histogram.bounds == buckets { histogram } else { nil }
        }
    }

    /// A family whose samples are read when scraped (per log: the labels come and go with the logs).
    ///
    /// Several closures may feed one family; their label sets must differ. They run on the scraping thread, without
    /// a lock of the registry held.
    package func collect(
        _ name: String, help: String, kind: Kind, _ samples: @escaping @Sendable () -> [Sample]
    ) {
        update(name, help, kind == .counter ? .counter : .gauge) { $0.collectors.append(samples) }
    }

    /// All families in the order of their names, samples in the order of their labels.
    package func render(_ format: Format) -> [UInt8] {
        let families = self.families.withLock { Array($0.values) }
        var exposition = Exposition(format)
        for family in families.sorted(by: { $0.name < $1.name }) { exposition.write(family) }
        return exposition.finish()
    }

    private func member<Metric>(
        _ name: String, _ help: String, _ kind: Family.Kind, _ labels: [Label],
        make: () -> Family.Metric, unwrap: (Family.Metric) -> Metric?
    ) -> Metric {
        precondition(labels.allSatisfy { Family.isIdentifier($0.name) }, "malformed label name in \(name)")
        let key = Exposition.labels(labels.sorted { $0.name < $1.name })
        let metric = update(name, help, kind) { $0.metric(key, make: make) }
        guard let unwrapped = unwrap(metric) else { preconditionFailure("\(name) has other buckets") }
        return unwrapped
    }

    private func update<Result>(
        _ name: String, _ help: String, _ kind: Family.Kind, _ body: (inout Family) -> Result
    ) -> Result {
        families.withLock { families in
            var family = families[name] ?? Family(name, help, kind)
            precondition(family.help == help && family.kind == kind, "\(name) has another help text or kind")
            defer { families[name] = family }
            return body(&family)
        }
    }
}
