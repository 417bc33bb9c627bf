import HTTP
import JSON
import Platform
import StorageEngine

extension KeyRoutes {
    func controlBody(_ request: Request) throws -> BodyHandling {
        _ = try key(request)
        try request.requireJSONType()
        return .buffered(limit: services.limits.controlBodyBytesMax, what: "a control body")
    }

    func increment(_ request: Request) throws -> Reply {
        let key = try key(request)
        let acknowledgement = try QueryReader(request, allowed: ["ack"]).acknowledgement()
        var body = try ObjectReader(request.controlBody(whenEmpty: .object([])))
        var options = try IncrementOptions(&body)
        try body.finish()
        options.acknowledgement = acknowledgement
        return try idempotently(request) { [self, options] claim in
            let log = try services.logForWriting(request, compaction: .keys)
            var conditional = options
            conditional.condition = try condition(request, log, key)
            conditional.receipt = claim?.receipt(Self.incremented)
            return try log.increment(key: key.span.bytes, conditional).writeReply(Self.incremented)
        }
    }

    @Sendable private static func incremented(_ result: IncrementResult) -> Response {
        Response.written(
            result.put, status: 200, members: "\"value\":\(result.value),", lastMembers: expiresAt(result.put)
        )
    }

    @Sendable private static func touched(_ result: PutResult) -> Response {
        Response.written(result, status: 200, lastMembers: expiresAt(result))
    }

    func touch(_ request: Request) throws -> Reply {
        let key = try key(request)
        let acknowledgement = try QueryReader(request, allowed: ["ack"]).acknowledgement()
        let expiry = try newExpiry(request.controlBody())
        return try idempotently(request) { [self] claim in
            let log = try services.existingLog(request)
            let condition = try condition(request, log, key)
            let outcome: Outcome<PutResult>
            do throws(EngineError) {
                outcome = try log.touch(
                    key: key.span.bytes, expiry: expiry, condition: condition,
                    acknowledgement: acknowledgement, receipt: claim?.receipt(Self.touched))
            } catch {
                throw Self.preferKeyNotFound(error)
            }
            return try outcome.writeReply(failure: Self.preferKeyNotFound, Self.touched)
        }
    }

    private func newExpiry(_ json: JSONValue) throws -> Expiry {
        var body = try ObjectReader(json)
        let ttl = try body.integer("ttl_ms", in: Self.ttlRange)
        let deadline = try body.timestamp("expires_at")
        try body.finish()
        switch (ttl, deadline) {
        case (let ttl?, nil): return self.deadline(ttlMilliseconds: ttl)
        case (nil, let deadline?):
            guard Timestamp.range.contains(deadline) else { throw Timestamp.invalid("expires_at") }
            return Self.deadline(at: deadline)
        case (nil, nil): throw Problem.invalidArgument("ttl_ms", "give ttl_ms or expires_at")
        case (_?, _?):
            throw Problem.invalidArgument("ttl_ms", "cannot be combined with expires_at: give one of them")
        }
    }

    private func idempotently(
        _ request: Request, _ work: @escaping IdempotentAttempt.Work
    ) throws -> Reply {
        try Idempotency(services: services).perform(request, body: request.body.bytes, work)
    }

    private static func expiresAt(_ result: PutResult) -> String {
        result.deadline == Deadline.never ? "" : ",\"expires_at\":\(result.deadline)"
    }
}
