import Metrics
import Platform

/// libmicrohttpd with our own framing checks, deadlines and limits around it.
package final class HTTPServer: Sendable {
    package let port: UInt16

    /// Binds, listens and serves.
    package init(configuration: HTTPConfiguration, router: Router, metrics: MetricsRegistry)
        throws(HTTPStartFailure)
    { fatalError("skeleton") }

    /// Stops accepting, lets running requests finish for at most `graceMilliseconds`, answers what still waits, closes.
    package func stop(graceMilliseconds: Int64) { fatalError("skeleton") }
}
