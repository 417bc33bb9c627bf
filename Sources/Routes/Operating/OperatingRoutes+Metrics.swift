import HTTP
import Metrics
import StorageEngine

extension OperatingRoutes {
    /// Prometheus' text format, unless OpenMetrics is liked at least as much by who names it.
    func metrics(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        let format: MetricsRegistry.Format =
            switch try Accept(request).choose(["text/plain", "application/openmetrics-text"]) {
            case "text/plain": .prometheusText
            default: .openMetrics
            }
        let respond: @Sendable () -> Response = { [services] in
            services.logMetrics.refresh()
            return Response(
                status: 200, contentType: format.contentType,
                fields: [HeaderField("Cache-Control", "no-store")],
                body: .bytes(services.metrics.render(format)))
        }
        // A scrape of many logs takes the lock of each of their partitions.
        let isLong = services.engine.logs(prefix: "", startAfter: nil, limit: LogMetrics.labelledMax).hasMore
        return isLong ? try services.reply(onWorkerTo: request, respond) : .now(respond())
    }
}
