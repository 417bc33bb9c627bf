import CMicroHTTPD
import Glibc
import Metrics
import Platform
import Synchronization

/// What all connections of a server share.
final class ServerContext: Sendable {
    let router: Router
    let configuration: HTTPConfiguration
    let limits: HeadLimits
    let hostCheck: HostCheck
    let metrics: ServerMetrics
    let bodyBudget: BodyBudget
    let connections: ConnectionTable
    let watch: Watch
    let isStopping = Atomic<Bool>(false)
    /// At hand here, because a global one is looked up through `swift_once`.
    let noBody = Request.noBody

    init(_ configuration: HTTPConfiguration, _ router: Router, _ metrics: MetricsRegistry, _ watch: Watch) {
        self.router = router
        self.configuration = configuration
        limits = HeadLimits(configuration)
        hostCheck = HostCheck(configuration)
        self.metrics = ServerMetrics(metrics, router.endpoints)
        bodyBudget = BodyBudget(
            gauges: self.metrics.gauges, bytesMax: configuration.bodyBytesInFlightMax,
            changed: configuration.bufferedBytesChanged)
        connections = ConnectionTable(configuration)
        self.watch = watch
    }

    /// Ends the answer that a client has been taking the longest over, if it is more than a second, and it has not yet
    /// taken what was sent.
    func endSlowestAnswer() -> Bool {
        let now = Clock.monotonicNanoseconds()
        let patienceNanoseconds: Int64 = 1_000_000_000
        let slow = connections.all.filter { connection in
            connection.phase == .sending && now - connection.sendingNanoseconds > patienceNanoseconds
                && connection.hasUnacknowledged
        }
        guard let slowest = slow.min(by: { $0.sendingNanoseconds < $1.sendingNanoseconds }) else {
            return false
        }
        return slowest.endSlowAnswer(beganNanoseconds: slowest.sendingNanoseconds)
    }

    /// Unix seconds, for the `Date` field.
    func now() -> Int64 {
        if let clock = configuration.clock { return clock.now() / 1000 }
        return Int64(time(nil))
    }

    /// Called by libmicrohttpd on the thread of the connection it speaks of, which it does not name.
    func log(_ format: UnsafePointer<CChar>, _ arguments: CVaListPointer) {
        if let failure = Self.doubledRefusal(format) { connections.refusedByParser()?.forestall(failure) }
        guard let log = configuration.log else { return }
        let bytesMax = 512
        let message = withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytesMax) { buffer in
            vsnprintf(buffer.baseAddress, bytesMax, format, arguments)
            return buffer.baseAddress.map { String(cString: $0) } ?? ""
        }
        log(message)
    }

    /// Version 0.9.75 answers a bad `Content-Length` by itself and with two heads, the second in place of the body.
    /// Saying so in its log is the last thing it does before.
    private static func doubledRefusal(_ format: UnsafePointer<CChar>) -> HTTPFailure? {
        if strncmp(format, "Failed to parse `Content-Length'", 32) == 0 {
            return .badFraming(detail: "a Content-Length that is not a number")
        }
        if strncmp(format, "Too large value of 'Content-Length'", 35) == 0 {
            return .bodyTooLarge(limit: Int.max, what: "request body")
        }
        return nil
    }
}
