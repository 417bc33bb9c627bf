import HTTP
import JSON
import Platform
import StorageEngine

extension KeyRoutes {
    func keysBody(_ request: Request) throws -> BodyHandling {
        _ = try request.logName()
        try request.requireJSONType()
        // A thousand keys of 1 KiB in base64 and escapes fit.
        return .buffered(limit: services.limits.batchBytesMax, what: "a list of keys")
    }

    func getMany(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let query = try QueryReader(request, allowed: [AfterPositions.parameter])
        let after = try AfterPositions(query, services, log: log)
        let keys = try Self.keys(request.controlBody())
        return try services.reply(to: request, after: after) { try Self.response(keys, log, $0) }
    }

    private static func keys(_ body: JSONValue) throws -> [[UInt8]] {
        var reader = try ObjectReader(body)
        let elements = try reader.required("keys", try reader.array("keys"))
        try reader.finish()
        guard (1...RouteLimits.keysPerCallMax).contains(elements.count) else {
            throw Problem(
                .invalidArgument,
                "keys must have 1 to \(RouteLimits.keysPerCallMax) elements, not \(elements.count)",
                members: [
                    .init("field", .string("keys")),
                    .init("limit", .integer(Int64(RouteLimits.keysPerCallMax))),
                ])
        }
        return try elements.enumerated().map { index, element in
            let key = try key(element, at: "keys[\(index)]")
            try checkKey(key, field: "keys[\(index)]")
            return key
        }
    }

    /// `"key"`, `{"key": …}` or `{"key_base64": …}`.
    private static func key(_ element: JSONValue, at path: String) throws -> [UInt8] {
        if case .string(let text) = element { return Array(text.utf8) }
        guard case .object = element else {
            throw Problem.invalidArgument(path, "must be a string, or an object with key or key_base64")
        }
        var reader = try ObjectReader(element, at: path)
        let key = try reader.required("key", try reader.keyBytes())
        try reader.finish()
        return key
    }

    private static func response(
        _ keys: [[UInt8]], _ log: Log, _ archived: ArchivedValues
    ) throws -> Response {
        var json = JSONWriter(capacity: 160 * keys.count)
        json.beginObject()
        json.key("results")
        json.beginArray()
        for key in keys {
            let record = try log.get(key: key.span.bytes, archived: archived)
            json.beginObject()
            key.withUnsafeBytes { json.bytesMember("key", base64: "key_base64", $0) }
            json.member("found", record != nil)
            if let record {
                guard json.count + record.value.count <= answerBytesMax else {
                    throw Problem.tooLarge(
                        "the values of the keys; ask for fewer, the answer", limit: answerBytesMax)
                }
                json.valueMembers(of: record)
                json.placeMembers(of: record, in: log)
            }
            json.endObject()
        }
        json.endArray()
        json.endObject()
        return .json(json)
    }
}
