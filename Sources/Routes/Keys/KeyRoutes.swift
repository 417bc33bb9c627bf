import HTTP
import JSON
import Platform
import StorageEngine

/// The handlers of keys: the newest record of a key, read and written.
struct KeyRoutes: Sendable {
    let services: Services

    /// What decides over a key's lifetime in a query.
    static let expiryParameters = ["ttl_ms", "expires_at", "ttl"]

    /// 10,000 years.
    static let ttlRange: ClosedRange<Int64> = 1...315_360_000_000_000

    /// The second capture of the path.
    func key(_ request: Request) throws(Problem) -> [UInt8] {
        let key = try request.parameter(1)
        try Self.checkKey(key)
        return key
    }

    /// - Throws: `invalid_argument` unless it has 1 to 1024 bytes.
    static func checkKey(_ key: [UInt8], field: String = "key") throws(Problem) {
        guard (1...RouteLimits.keyBytesMax).contains(key.count) else {
            throw Problem(
                .invalidArgument,
                "\(field) must have 1 to \(RouteLimits.keyBytesMax) bytes, not \(key.count)",
                members: [
                    .init("field", .string(field)), .init("limit", .integer(Int64(RouteLimits.keyBytesMax))),
                ])
        }
    }

    /// `ttl_ms`, `expires_at`, `ttl=keep|none`: at most one.
    func expiry(_ query: QueryReader) throws(Problem) -> Expiry {
        if query.isEmpty { return .logDefault }
        let given = Self.expiryParameters.filter { query.has($0) }
        guard given.count <= 1 else {
            throw .invalidArgument(given[1], "cannot be combined with \(given[0]): give one of them")
        }
        if let ttl = try query.integer("ttl_ms", in: Self.ttlRange) { return deadline(ttlMilliseconds: ttl) }
        if let deadline = try query.timestamp("expires_at") { return Self.deadline(at: deadline) }
        return switch try query.choice("ttl", Lifetime.self) {
        case .keep: .keep
        case .unlimited: .never
        case nil: .logDefault
        }
    }

    func deadline(ttlMilliseconds: Int64) -> Expiry {
        .at(milliseconds: services.clock.now().addingReportingOverflow(ttlMilliseconds).partialValue)
    }

    /// A deadline that has passed is one too: the key is gone at once. 0 and less mean other things to the engine.
    static func deadline(at milliseconds: Int64) -> Expiry { .at(milliseconds: max(1, milliseconds)) }

    enum Lifetime: String, CaseIterable {
        case keep
        case unlimited = "none"
    }

    /// For a write to `key`, from the conditional fields of the request.
    func condition(_ request: Request, _ log: Log, _ key: [UInt8]) throws -> Condition {
        guard let preconditions = try Preconditions(request) else { return .none }
        return try preconditions.condition {
            try log.get(key: key.span.bytes, archived: .leftOut).map {
                ($0.revision(in: log), $0.modifiedAtSeconds)
            }
        }
    }

    /// A condition is looked at only if the request could succeed without it (RFC 9110, section 13.2.1): where nothing is
    /// there to delete or touch, that is the answer.
    static func preferKeyNotFound(_ error: EngineError) -> EngineError {
        if case .preconditionFailed(current: nil) = error { return .keyNotFound }
        return error
    }
}
