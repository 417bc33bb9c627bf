import Metrics

/// Counts of queries and of what came of them.
struct SQLMetrics: Sendable {
    private let succeeded: Counter
    private let failed: Counter
    private let timedOut: Counter
    private let cancelled: Counter
    private let refused: Counter
    private let rows: Counter
    private let seconds: Histogram
    let misfits: Counter

    init(_ metrics: MetricsRegistry, _ registry: QueryRegistry) {
        func queries(_ outcome: String) -> Counter {
            metrics.counter(
                "pyralog_sql_queries_total", help: "Queries by what came of them.",
                labels: [.init("outcome", outcome)])
        }
        succeeded = queries("succeeded")
        failed = queries("failed")
        timedOut = queries("timed_out")
        cancelled = queries("cancelled")
        refused = queries("refused")
        rows = metrics.counter("pyralog_sql_rows_total", help: "Rows sent in answers of queries.")
        misfits = metrics.counter(
            "pyralog_sql_misfits_total",
            help:
                "Values that do not fit the declared type of their field, shown as NULL; counted as columns are extracted."
        )
        seconds = metrics.histogram(
            "pyralog_sql_query_seconds", help: "Time that answered queries took.",
            buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100])
        metrics.collect(
            "pyralog_sql_queries_active", help: "Queries that wait or run, by phase.", kind: .gauge
        ) {
            let queries = registry.all
            return Query.Phase.allCases.map { phase in
                MetricsRegistry.Sample(
                    [.init("phase", phase.rawValue)], Double(queries.count { $0.phase == phase }))
            }
        }
    }

    func countSuccess(rows: Int, nanoseconds: Int64) {
        succeeded.add()
        self.rows.add(UInt64(rows))
        seconds.observe(Double(nanoseconds) / 1e9)
    }

    func count(_ failure: SQLFailure) {
        switch failure {
        case .timeout: timedOut.add()
        case .cancelled, .stopping: cancelled.add()
        case .queueFull, .notVisible: refused.add()
        case .unavailable, .refused, .unknownLog, .query, .outOfMemory, .parameters, .tooManyRows, .tooLarge,
            .unreadable:
            failed.add()
        }
    }
}
