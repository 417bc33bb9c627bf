import HTTP
import JSON
import Platform
import StorageEngine

extension KeyRoutes {
    static let listParameters = [
        "prefix", "prefix_base64", "start_after", "start_after_base64", "limit", "values",
        AfterPositions.parameter,
    ]
    static let listLimit: ClosedRange<Int> = 1...1000
    /// A log with more rows is listed on a worker thread: a scan of these takes about a millisecond.
    static let rowsOnEventLoopMax = 50_000
    /// Of the answer of one call; a list then ends early and says that there is more.
    static let answerBytesMax = 64 * 1024 * 1024

    func list(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let query = try QueryReader(request, allowed: Self.listParameters)
        let prefix = try Self.keyPart("prefix", query) ?? []
        let startAfter = try Self.keyPart("start_after", query)
        let limit = try query.integer("limit", in: Self.listLimit) ?? 100
        let withValues = try query.boolean("values") ?? false
        let after = try AfterPositions(query, services, log: log)
        // Rows that newer ones have superseded are passed over one by one until compaction has been there.
        let rows = log.statistics().reduce(0) { $0 + $1.records }
        let isLong = rows > Self.rowsOnEventLoopMax
        return try services.reply(to: request, after: after, isLong: isLong) { archived in
            let listing = try log.keys(
                prefix: prefix, startAfter: startAfter, limit: limit,
                archived: withValues ? archived : .leftOut)
            return Self.response(listing, log, withValues: withValues)
        }
    }

    /// A query parameter of key bytes, as text or in base64.
    private static func keyPart(_ name: String, _ query: QueryReader) throws(Problem) -> [UInt8]? {
        let encodedName = name + "_base64"
        let encoded = try query.base64(encodedName)
        let plain = query.bytes(name)
        if encoded != nil, plain != nil {
            throw .invalidArgument(encodedName, "cannot be combined with \(name): give one of them")
        }
        let part = encoded ?? plain
        if let part, part.count > RouteLimits.keyBytesMax {
            throw .invalidArgument(name, "must have at most \(RouteLimits.keyBytesMax) bytes")
        }
        return part
    }

    private static func response(_ listing: KeyListing, _ log: Log, withValues: Bool) -> Response {
        var json = JSONWriter(capacity: 128 * (listing.records.count + 1))
        var hasMore = listing.hasMore
        json.beginObject()
        json.key("keys")
        json.beginArray()
        for (index, record) in listing.records.enumerated() {
            if withValues, index > 0, json.count + record.value.count > answerBytesMax {
                hasMore = true
                break
            }
            json.beginObject()
            json.bytesMember("key", base64: "key_base64", record.keyView)
            json.placeMembers(of: record, in: log)
            if withValues { json.valueMembers(of: record) }
            json.endObject()
        }
        json.endArray()
        json.member("has_more", hasMore)
        json.endObject()
        return .json(json)
    }
}
