import HTTP
import JSON
import Platform
import StorageEngine

/// Everything that the head of an append says: what its records have in common, and where they go.
struct AppendPlan: Sendable {
    let services: Services
    let request: Request
    /// Of the one record of the call.
    let key: [UInt8]?
    /// Where each record's object says its key and time.
    let fields: RecordFields
    let timestamp: Int64?
    let ttlMilliseconds: Int64?
    let priority: UInt8
    let isAtomic: Bool
    let options: AppendOptions

    static let parameters = [
        "key", "key_base64", "key_field", "timestamp", "timestamp_field", "ttl_ms", "priority", "partition",
        "match_offset", "atomic", "ack",
    ]

    init(_ request: Request, _ services: Services) throws {
        let query = try QueryReader(request, allowed: Self.parameters)
        self.services = services
        self.request = request
        key = try Self.key(query)
        fields = RecordFields(
            key: try Self.fieldName("key_field", query),
            timestamp: try Self.fieldName("timestamp_field", query))
        timestamp = try query.timestamp("timestamp")
        ttlMilliseconds = try query.integer("ttl_ms", in: KeyRoutes.ttlRange)
        priority = UInt8(try query.integer("priority", in: 0...255) ?? 0)
        isAtomic = try query.boolean("atomic") ?? true
        var options = AppendOptions()
        options.partition = try query.integer("partition", in: RecordRoutes.partitionRange)
        options.matchOffset = try query.integer("match_offset", in: 0...Int64.max).map { Offset($0) }
        options.acknowledgement = try query.acknowledgement()
        options.producer = try ProducerStamp(request)
        self.options = options
        try refuseContradictions()
    }

    /// For a batch, whose records say the rest themselves.
    init(batch request: Request, _ services: Services) throws {
        let query = try QueryReader(request, allowed: ["ack"])
        self.services = services
        self.request = request
        key = nil
        fields = .none
        timestamp = nil
        ttlMilliseconds = nil
        priority = 0
        isAtomic = true
        var options = AppendOptions()
        options.acknowledgement = try query.acknowledgement()
        options.producer = try ProducerStamp(request)
        self.options = options
    }

    var isKeyed: Bool { key != nil || fields.key != nil }

    /// Appends all records of the draft, creating the log if need be.
    ///
    /// - Parameters:
    ///   - partition: overrides the query's.
    ///   - claim: of the request's idempotency key.
    func append(
        _ draft: Draft, isKeyed: Bool, partition: Int? = nil, _ claim: IdempotencyReceipts.Claim? = nil
    ) throws -> Outcome<AppendResult> {
        guard draft.count > 0 else { throw Problem(.invalidArgument, "the body has no records") }
        if key != nil, draft.count != 1 {
            throw Problem.invalidArgument(
                "key",
                "is for one record, the body has \(draft.count); key_field takes the keys from the records")
        }
        let log = try services.logForWriting(request, compaction: isKeyed ? .keys : .none)
        if options.matchOffset != nil, options.partition == nil, log.partitionCount > 1 {
            throw Problem.invalidArgument(
                "match_offset", "needs partition: the log has partitions 0 to \(log.partitionCount - 1)")
        }
        var options = options
        if let partition { options.partition = partition }
        options.receipt = claim?.receipt { .appended($0) }
        return try log.append(draft, options)
    }

    // MARK: The head

    private func refuseContradictions() throws(Problem) {
        if key != nil, fields.key != nil { throw Self.exclusive("key_field", "key") }
        if timestamp != nil, fields.timestamp != nil { throw Self.exclusive("timestamp_field", "timestamp") }
        if options.partition != nil, isKeyed {
            throw .invalidArgument("partition", "cannot be combined with a key, whose hash is the partition")
        }
        guard !isAtomic else { return }
        if options.matchOffset != nil { throw Self.exclusive("match_offset", "atomic=false") }
        if options.producer != nil { throw Self.exclusive("Producer-Seq", "atomic=false") }
        if request.hasField("Idempotency-Key") { throw Self.exclusive("Idempotency-Key", "atomic=false") }
    }

    private static func exclusive(_ field: String, _ other: String) -> Problem {
        .invalidArgument(field, "cannot be combined with \(other)")
    }

    private static func key(_ query: QueryReader) throws -> [UInt8]? {
        let plain = query.bytes("key")
        let encoded = try query.base64("key_base64")
        if plain != nil, encoded != nil { throw exclusive("key_base64", "key") }
        guard let key = plain ?? encoded else { return nil }
        try KeyRoutes.checkKey(key, field: plain != nil ? "key" : "key_base64")
        return key
    }

    private static func fieldName(_ parameter: String, _ query: QueryReader) throws(Problem) -> [UInt8]? {
        guard let name = query.bytes(parameter) else { return nil }
        guard (1...RouteLimits.keyBytesMax).contains(name.count), isValidUTF8(name) else {
            throw .invalidArgument(parameter, "must be 1 to \(RouteLimits.keyBytesMax) bytes of UTF-8")
        }
        return name
    }
}
