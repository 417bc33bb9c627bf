import HTTP
import Platform
import StorageEngine

extension KeyRoutes {
    static let putParameters = expiryParameters + ["priority", "ack"]

    func putBody(_ request: Request) throws -> BodyHandling {
        _ = try key(request)
        try ValueType.checkDeclared(by: request)
        // Taking a part for the whole would lose the rest (RFC 9110, section 14.5).
        if request.hasField("Content-Range") {
            throw Problem.invalidArgument("Content-Range", "a value is put as a whole")
        }
        let limit = services.limits.valueBytesMax
        try services.checkRoom(for: request, in: request.logName(), limit: limit)
        return .buffered(limit: limit, what: "a value")
    }

    func put(_ request: Request) throws -> Reply {
        let key = try key(request)
        let options = try putOptions(request)
        let log = try services.logForWriting(request, compaction: .keys)
        var conditional = options
        conditional.condition = try condition(request, log, key)
        let outcome = try log.put(key: key.span.bytes, value: request.body.bytes.bytes, conditional)
        return try outcome.reply(to: request) { result in
            Response.written(result, status: result.isNew ? 201 : 200)
        }
    }

    private func putOptions(_ request: Request) throws -> PutOptions {
        let query = try QueryReader(request, allowed: Self.putParameters)
        var options = PutOptions()
        if !query.isEmpty {
            options.expiry = try expiry(query)
            options.priority = UInt8(try query.integer("priority", in: 0...255) ?? 0)
            options.acknowledgement = try query.acknowledgement()
        }
        let type = try ValueType.of(request, services)
        options.type = type.type
        options.extras = type.extras
        return options
    }

    func delete(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let key = try key(request)
        let acknowledgement = try QueryReader(request, allowed: ["ack"]).acknowledgement()
        let condition = try condition(request, log, key)
        let outcome: Outcome<PutResult>
        do throws(EngineError) {
            outcome = try log.delete(
                key: key.span.bytes, condition: condition, acknowledgement: acknowledgement)
        } catch {
            throw Self.preferKeyNotFound(error)
        }
        return try outcome.reply(to: request, failure: Self.preferKeyNotFound) { result in
            Response.written(withoutBody: result)
        }
    }
}
