import Platform

/// When a request that met trouble is sent again: after a random delay whose bound doubles from attempt to attempt, so
/// that those who met the same trouble do not come back together ("full jitter"; Brooker, "Exponential Backoff And Jitter", 2015).
package struct RetryPolicy: Sendable {
    package var attemptsMax = 6
    package var delayMillisecondsFirst = 200
    package var delayMillisecondsMax = 20_000
    /// No attempt begins later than so long after the first.
    package var totalMillisecondsMax = 180_000
    /// A server that wants to be left alone for longer is not waited for.
    package var retryAfterSecondsMax = 60

    package init() {}

    /// - Parameters:
    ///   - failures: attempts that have failed so far, from 1.
    ///   - elapsedMilliseconds: since the first began.
    ///   - retryAfterSeconds: what the server asked for.
    /// - Returns: how long to wait; nil: it is not tried again.
    func delayMilliseconds(
        failures: Int, elapsedMilliseconds: Int, retryAfterSeconds: Int?, random: (ClosedRange<Int>) -> Int
    ) -> Int? {
        guard failures < attemptsMax else { return nil }
        // Doubled more often than this it is at its maximum anyway.
        let doubled = delayMillisecondsFirst << min(failures - 1, 20)
        var delay = random(0...min(doubled, delayMillisecondsMax))
        if let retryAfterSeconds {
            guard retryAfterSeconds <= retryAfterSecondsMax else { return nil }
            delay = max(delay, max(0, retryAfterSeconds) * 1000)
        }
        return elapsedMilliseconds + delay <= totalMillisecondsMax ? delay : nil
    }
}

/// Time and chance, so that tests can make them up.
struct RetryClock: Sendable {
    var milliseconds: @Sendable () -> Int
    var pause: @Sendable (_ milliseconds: Int) -> Void
    var random: @Sendable (ClosedRange<Int>) -> Int
}

extension RetryClock {
    static let system = RetryClock(
        milliseconds: { Int(Clock.monotonicNanoseconds() / 1_000_000) },
        pause: { Clock.pause(milliseconds: $0) },
        random: { Int.random(in: $0) })
}
