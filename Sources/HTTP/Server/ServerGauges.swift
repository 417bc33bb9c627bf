import Synchronization

/// What is there at this moment, counted where it changes and read when metrics are scraped.
final class ServerGauges: Sendable {
    let connections = Atomic<Int>(0)
    let suspended = Atomic<Int>(0)
    let bodyBytesInFlight = Atomic<Int>(0)
}
