import Platform

package struct HTTPConfiguration: Sendable {
    package var host = "127.0.0.1"
    package var port: UInt16 = 7070
    /// Event-loop threads; default the number of cores.
    package var threads: Int?
    package var connectionsMax = 10_000
    package var connectionsPerAddressMax: Int?
    package var headerBytesMax = 32 * 1024
    package var targetBytesMax = 16 * 1024
    /// All request bodies in flight together; beyond it 503 `overloaded`.
    package var bodyBytesInFlightMax = 1 << 30
    package var headerTimeoutMilliseconds: Int64 = 10_000
    package var bodyTimeoutMilliseconds: Int64 = 10_000
    /// Below this rate, averaged from the start of the body and after `bodyTimeoutMilliseconds`, a body is cut off.
    package var bodyBytesPerSecondMin = 1024
    package var idleTimeoutMilliseconds: Int64 = 60_000
    /// Host names accepted beside IP addresses and `localhost`; empty with `checksHost == false` accepts all.
    package var hosts: [String] = []
    package var checksHost = true
    package var corsOrigins: [String] = []
    /// Where the `Date` field comes from; nil is the system's clock.
    package var clock: Clock?
    /// Takes what libmicrohttpd has to say, mostly about what clients did wrong; nil drops it. Called from any thread.
    package var log: (@Sendable (String) -> Void)?
    package init() {}

    /// What libmicrohttpd gets for each connection: head, bookkeeping, and the answer's head in the end. It clears this
    /// memory for each request, so it is no larger than it must be: twice as much costs a tenth of the speed.
    var connectionMemoryBytes: Int { max(headerBytesMax, targetBytesMax + 4096, 8192) }
}
