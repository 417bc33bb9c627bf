import HTTP
import JSON
import Platform
import StorageEngine

/// Reads `{"if": […], "then": […], "else": […]}`. Values keep the bytes they were sent with.
struct TransactionBody {
    let services: Services

    func read(_ body: ByteBuffer) throws -> Transaction {
        let root = try services.parsers.withParser { parser in try RawJSON(body, parser) }
        var fields = try FieldSet(root, at: "")
        var transaction = Transaction()
        transaction.requirements = try elements("if", &fields).enumerated().map { index, element in
            try requirement(element, at: "if[\(index)]")
        }
        for (name, branch) in [("then", \Transaction.then), ("else", \Transaction.otherwise)] {
            transaction[keyPath: branch] = try elements(name, &fields).enumerated().map { index, element in
                try operation(element, at: "\(name)[\(index)]")
            }
        }
        try fields.finish()
        guard !transaction.then.isEmpty || !transaction.otherwise.isEmpty else {
            throw Problem.invalidArgument("then", "must have at least one operation")
        }
        return transaction
    }

    private func elements(_ name: String, _ fields: inout FieldSet) throws -> [RawJSON] {
        guard let raw = fields.take(name) else { return [] }
        guard let elements = raw.elements() else {
            throw Problem.invalidArgument(name, "must be an array")
        }
        guard elements.count <= Transaction.operationsMax else {
            throw Problem(
                .invalidArgument, "\(name) may have at most \(Transaction.operationsMax) elements",
                members: [
                    .init("field", .string(name)), .init("limit", .integer(Int64(Transaction.operationsMax))),
                ])
        }
        return elements
    }

    // MARK: Conditions

    private func requirement(_ element: RawJSON, at path: String) throws -> Transaction.Requirement {
        var fields = try FieldSet(element, at: path)
        let value = try fields.value(services)
        var reader = try fields.reader()
        let log = try Self.log(&reader)
        let key = try Self.key(&reader)
        let exists = try reader.bool("exists")
        let revision = try reader.string("revision")
        try reader.finish()
        guard [exists != nil, revision != nil, value != nil].filter({ $0 }).count == 1 else {
            throw Problem.invalidArgument(path, "must have exactly one of revision, exists and value")
        }
        if let exists { return .init(log: log, key: key, test: .exists(exists)) }
        if let revision {
            guard let parsed = Revision(parsing: revision) else {
                throw Problem.invalidArgument(
                    "\(path).revision", "must be a revision like \"0-17-9f3a11c2\", as answers have it")
            }
            return .init(log: log, key: key, test: .revision(parsed))
        }
        let wanted = value?.bytes ?? []
        let isJSON = value?.type == .json
        return .init(
            log: log, key: key,
            test: .value { stored, type in
                wanted.withUnsafeBytes { wanted in
                    isJSON ? type == .json && isSameJSON(stored, wanted) : equalBytes(stored, wanted)
                }
            })
    }

    // MARK: Operations

    private func operation(_ element: RawJSON, at path: String) throws -> Transaction.Operation {
        guard let members = try element.members(), members.count == 1, let (name, raw) = members.first else {
            throw Problem.invalidArgument(
                path, "must be an object with exactly one of get, put, delete, increment and append")
        }
        let path = "\(path).\(name)"
        var fields = try FieldSet(raw, at: path)
        switch name {
        case "get", "delete":
            var reader = try fields.reader()
            let log = try Self.log(&reader)
            let key = try Self.key(&reader)
            try reader.finish()
            return .init(log: log, name == "get" ? .get(key: key) : .delete(key: key))
        case "put": return try put(&fields)
        case "increment": return try increment(&fields)
        case "append": return try append(&fields)
        default:
            throw Problem.unknownField(path, allowed: ["get", "put", "delete", "increment", "append"])
        }
    }

    private func put(_ fields: inout FieldSet) throws -> Transaction.Operation {
        let path = fields.path
        guard let value = try fields.value(services) else {
            throw Problem.invalidArgument("\(path).value", "is missing; or give value_text or value_base64")
        }
        var reader = try fields.reader()
        let log = try Self.log(&reader)
        var put = Transaction.Put(key: try Self.key(&reader), value: value.bytes)
        put.options.type = value.type
        put.options.extras = value.extras
        put.options.expiry = try expiry(&reader)
        put.options.priority = UInt8(try reader.integer("priority", in: 0...255) ?? 0)
        try reader.finish()
        return .init(log: log, .put(put))
    }

    private func append(_ fields: inout FieldSet) throws -> Transaction.Operation {
        let path = fields.path
        let value = try fields.value(services)
        var reader = try fields.reader()
        let log = try Self.log(&reader)
        let key = try reader.keyBytes()
        guard value != nil || key != nil else {
            throw Problem.invalidArgument("\(path).value", "is missing, and there is no key to delete")
        }
        var append = Transaction.Append(key: key, value: value?.bytes ?? [])
        // As in a batch: a key without a value is a delete of the key.
        let isDelete = key != nil && (value.map { $0.isNull } ?? true)
        append.type = isDelete ? .deleted : value?.type ?? .json
        append.value = isDelete ? [] : append.value
        append.extras = isDelete ? [] : value?.extras ?? []
        append.expiry = try expiry(&reader)
        append.priority = UInt8(try reader.integer("priority", in: 0...255) ?? 0)
        append.timestamp = try reader.timestamp("timestamp")
        append.partition = try reader.integer("partition", in: 0...Int64(LogConfiguration.partitionsMax - 1))
            .map { Int($0) }
        try reader.finish()
        if let timestamp = append.timestamp, !Timestamp.range.contains(timestamp) {
            throw Timestamp.invalid("\(path).timestamp")
        }
        if key != nil, append.partition != nil {
            throw Problem.invalidArgument(
                "\(path).partition", "cannot be combined with a key, whose hash is the partition")
        }
        return .init(log: log, .append(append))
    }

    private func increment(_ fields: inout FieldSet) throws -> Transaction.Operation {
        var reader = try fields.reader()
        let log = try Self.log(&reader)
        let key = try Self.key(&reader)
        let options = try IncrementOptions(&reader)
        try reader.finish()
        return .init(log: log, .increment(key: key, options))
    }

    /// `ttl_ms`, `expires_at`, `ttl`: at most one; null means the log's default, as if it were not there.
    private func expiry(_ reader: inout ObjectReader) throws -> Expiry {
        let ttl = try reader.nullableInteger("ttl_ms", in: KeyRoutes.ttlRange)
        let deadline = try reader.timestamp("expires_at")
        let lifetime = try reader.choice("ttl", KeyRoutes.Lifetime.self)
        var given: [Expiry] = []
        if case .value(let ttl) = ttl {
            given.append(KeyRoutes(services: services).deadline(ttlMilliseconds: ttl))
        }
        if let deadline {
            guard Timestamp.range.contains(deadline) else {
                throw Timestamp.invalid(reader.fullPath("expires_at"))
            }
            given.append(KeyRoutes.deadline(at: deadline))
        }
        if let lifetime { given.append(lifetime == .keep ? .keep : .never) }
        guard given.count <= 1 else {
            throw Problem.invalidArgument(
                reader.fullPath("ttl_ms"), "give at most one of ttl_ms, expires_at and ttl")
        }
        return given.first ?? .logDefault
    }

    private static func log(_ reader: inout ObjectReader) throws -> String {
        try LogName.parse(
            Array(try reader.required("log", try reader.string("log")).utf8), field: reader.fullPath("log"))
    }

    private static func key(_ reader: inout ObjectReader) throws -> [UInt8] {
        try reader.required("key", try reader.keyBytes(max: RouteLimits.keyBytesMax))
    }
}

extension IncrementOptions {
    /// The fields `by`, `ttl_ms` and `refresh_ttl`.
    init(_ reader: inout ObjectReader) throws {
        self.init()
        by = try reader.integer("by") ?? 1
        ttlMilliseconds = try reader.integer("ttl_ms", in: KeyRoutes.ttlRange)
        refreshesExpiry = try reader.bool("refresh_ttl") ?? false
    }
}
