import HTTP
import JSON
import Platform
import StorageEngine

/// The handlers of a server in test mode, whose clock and contents belong to the test.
struct TestRoutes: Sendable {
    let services: Services

    /// A hundred years.
    private static let advanceRange: ClosedRange<Int64> = 0...3_155_760_000_000

    func body(_ request: Request) throws -> BodyHandling {
        .buffered(limit: services.limits.controlBodyBytesMax, what: "a control body")
    }

    /// Moves the one clock of TTLs, retention and idempotency windows; what is due by then is done before the answer.
    func clock(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        var body = try ObjectReader(try request.controlBody())
        let milliseconds = try body.required(
            "advance_ms", try body.milliseconds("advance_ms", in: Self.advanceRange))
        try body.finish()
        let now = services.clock.now()
        guard now.addingReportingOverflow(milliseconds).partialValue <= Timestamp.range.upperBound else {
            throw Problem.invalidArgument("advance_ms", "would move the clock beyond the year 9999")
        }
        return try services.reply(onWorkerTo: request) { [services] in
            services.clock.advance(milliseconds: milliseconds)
            services.engine.maintainDue()
            return .json(.object([.init("now", .integer(services.clock.now()))]))
        }
    }

    /// Drops all logs and receipts and sets the clock right; what `--init` names is there again.
    func reset(_ request: Request) throws -> Reply {
        _ = try QueryReader(request, allowed: [])
        try ObjectReader(try request.controlBody(whenEmpty: .object([]))).finish()
        return try services.reply(onWorkerTo: request) { [services] in
            services.engine.reset()
            try services.testMode?.restart()
            return .noContent
        }
    }
}

/// What a server in test mode does beyond others.
package final class TestMode: Sendable {
    private let restoration = Lock<@Sendable () throws -> Void>({})

    package init() {}

    /// Makes again what was there at the start.
    package func onReset(_ restore: @escaping @Sendable () throws -> Void) {
        restoration.withLock { $0 = restore }
    }

    func restart() throws {
        let restore = restoration.withLock { $0 }
        try restore()
    }
}
