import Synchronization

/// What all request bodies together may hold in memory. Safe from any thread.
final class BodyBudget: Sendable {
    /// A body that is no longer is charged with its connection.
    static let coveredBytes = 1024

    let gauges: ServerGauges
    let bytesMax: Int
    private let changed: (@Sendable (Int) -> Void)?

    init(gauges: ServerGauges, bytesMax: Int, changed: (@Sendable (Int) -> Void)? = nil) {
        self.gauges = gauges
        self.bytesMax = bytesMax
        self.changed = changed
    }

    /// - Parameter before: what this body was charged already.
    /// - Throws: `bodyTooLarge` for a body that could never be held, `overloaded`; nothing is charged then.
    func charge(_ bytes: Int, before: Int) throws(HTTPFailure) {
        if before + bytes > bytesMax { throw tooLarge }
        let after = gauges.bodyBytesInFlight.wrappingAdd(bytes, ordering: .relaxed).newValue
        changed?(bytes)
        guard after <= bytesMax else {
            release(bytes)
            throw Self.exhausted
        }
    }

    func release(_ bytes: Int) {
        guard bytes > 0 else { return }
        gauges.bodyBytesInFlight.wrappingSubtract(bytes, ordering: .relaxed)
        changed?(-bytes)
    }

    /// Turns an announced body away before it is read, if it could not be held now.
    func refuseBeyond(_ announcedBytes: Int) throws(HTTPFailure) {
        if announcedBytes > bytesMax { throw tooLarge }
        let (after, overflow) = gauges.bodyBytesInFlight.load(ordering: .relaxed)
            .addingReportingOverflow(announcedBytes)
        if overflow || after > bytesMax { throw Self.exhausted }
    }

    private var tooLarge: HTTPFailure {
        .bodyTooLarge(limit: bytesMax, what: "request bodies in flight (limits.bodies_in_flight)")
    }

    private static var exhausted: HTTPFailure {
        .overloaded(detail: "too many request bodies in flight", retryAfterSeconds: 1)
    }
}
