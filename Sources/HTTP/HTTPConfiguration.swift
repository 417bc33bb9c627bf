import Platform

package struct HTTPConfiguration: Sendable {
    package var host = "127.0.0.1"
    package var port: UInt16 = 7070
    /// Event-loop threads; default the number of cores.
    package var threads: Int?
    package var connectionsMax = 10_000
    package var connectionsPerAddressMax: Int?
    /// The whole head of a request: request line and fields.
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
    /// Told of each change of the memory that connections, bodies and answers take, in bytes; nil: nobody counts.
    package var bufferedBytesChanged: (@Sendable (Int) -> Void)?
    /// Whether there is no memory for another request, which is then answered with 503.
    package var isShortOfMemory: (@Sendable () -> Bool)?
    package init() {}

    /// What libmicrohttpd gets for each connection: the request's head, 64 bytes for each of its fields, and the head
    /// of the answer. It clears this memory for each request, so every kilobyte costs all requests.
    var connectionMemoryBytes: Int { max(headerBytesMax, 8192) + Self.answerHeadBytes }

    /// A connection with all that belongs to it, as it is charged: the system's buffers aside.
    var connectionBytes: Int { connectionMemoryBytes + 2048 + BodyBudget.coveredBytes }

    /// What must be left of a connection's memory for the head of an answer.
    static let answerHeadBytes = 4096
    static let fieldRecordBytes = 64
}
