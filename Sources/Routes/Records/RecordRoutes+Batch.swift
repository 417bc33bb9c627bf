import HTTP
import JSON
import Platform
import StorageEngine

extension RecordRoutes {
    func batchBody(_ request: Request) throws -> BodyHandling {
        _ = try request.logName()
        if !services.createsLogs { _ = try services.existingLog(request) }
        try request.requireJSONType()
        _ = try AppendPlan(batch: request, services)
        let limit = services.limits.batchBytesMax
        try services.checkRoom(for: request, in: request.logName(), limit: limit)
        return .buffered(limit: limit, what: "a batch")
    }

    func appendBatch(_ request: Request) throws -> Reply {
        let plan = try AppendPlan(batch: request, services)
        return try Idempotency(services: services).perform(request, body: request.body.bytes) { claim in
            guard request.body.count > 0 else { throw Problem(.invalidJSON, "the body is empty") }
            let draft = try services.parsers.withParser { parser in
                try BatchDraft(parser, request.body, services).draft()
            }
            let isKeyed = draft.keys.contains { !$0.isAbsent }
            return try plan.append(draft, isKeyed: isKeyed, claim).writeReply { .appended($0) }
        }
    }
}
