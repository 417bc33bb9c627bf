import HTTP
import JSON
import Platform
import StorageEngine

extension RecordRoutes {
    /// Lines are taken as they arrive; a value, an array or raw bytes as a whole.
    func appendBody(_ request: Request) throws -> BodyHandling {
        _ = try request.logName()
        if !services.createsLogs { _ = try services.existingLog(request) }
        let plan = try AppendPlan(request, services)
        guard try Self.isLines(request) else {
            guard plan.isAtomic else {
                throw Problem.invalidArgument("atomic", "false is for application/x-ndjson")
            }
            let limit = services.limits.valueBytesMax
            try services.checkRoom(for: request, in: request.logName(), limit: limit)
            return .buffered(limit: limit, what: "a value")
        }
        guard plan.isAtomic else { return .streamed(ChunkedLines(plan)) }
        let consumer = AtomicLines(plan)
        try services.checkRoom(for: request, in: request.logName(), limit: services.limits.batchBytesMax)
        try consumer.refuseTooLong(announced: request.field("Content-Length").flatMap { Int($0) })
        return .streamed(consumer)
    }

    func append(_ request: Request) throws -> Reply {
        let plan = try AppendPlan(request, services)
        return try Idempotency(services: services).perform(request, body: request.body.bytes) { claim in
            let type = try ValueType.declared(by: request)
            let draft =
                type == nil || type?.isJSON == true
                ? try jsonDraft(plan, type?.text)
                : try rawDraft(plan, type?.text ?? "application/octet-stream")
            return try plan.append(draft, isKeyed: plan.isKeyed, claim).writeReply { .appended($0) }
        }
    }

    static func isLines(_ request: Request) throws -> Bool {
        guard let text = request.field("Content-Type"), !text.isEmpty else { return false }
        return try MediaType(text).essence == "application/x-ndjson"
    }

    private func rawDraft(_ plan: AppendPlan, _ contentType: String) throws -> Draft {
        for (name, field) in [("key_field", plan.fields.key), ("timestamp_field", plan.fields.timestamp)]
        where field != nil {
            throw Problem.invalidArgument(name, "needs JSON, and the body is \(Problem.quoted(contentType))")
        }
        return plan.draft(ofWhole: plan.request.body, type: try ValueType(contentType: contentType))
    }

    /// One value, or an array whose elements are the records.
    ///
    /// - Parameter contentType: nil when the request does not say.
    private func jsonDraft(_ plan: AppendPlan, _ contentType: String?) throws -> Draft {
        let type = try contentType.map { text throws(Problem) in try ValueType(contentType: text) } ?? .json
        let body = plan.request.body
        let first = body.bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard let first else { throw Problem(.invalidJSON, "the body is empty") }
        let isArray = first == UInt8(ascii: "[")
        if isArray, body.count > services.limits.batchBytesMax {
            throw Problem.tooLarge("a JSON array", limit: services.limits.batchBytesMax)
        }
        do throws(RecordFailure) {
            return try services.parsers.withParser { parser throws(RecordFailure) in
                if isArray {
                    try parser.elements(of: body, fields: plan.fields, recordsMax: Self.recordsPerCallMax)
                } else {
                    _ = try parser.parse(body, fields: plan.fields)
                }
                return plan.draft(of: parser.found, in: body, type: type)
            }
        } catch {
            let problem = Problem(index: error)
            throw contentType == nil && problem.code == .invalidJSON
                ? problem.with(Self.addHowToSend) : problem
        }
    }

    /// What somebody needs who sent lines or words with `curl -d`.
    private static func addHowToSend(_ problem: inout Problem) {
        problem.detail +=
            " (without a Content-Type the body must be one JSON value; send lines with --data-binary and"
            + " -H 'Content-Type: application/x-ndjson', text with -H 'Content-Type: text/plain')"
    }
}
