import JSON
import Platform
import StorageEngine

extension DumpRow {
    /// - Parameters:
    ///   - number: of the line in the dump.
    ///   - partition: where its key belongs, if that is known and the line does not say.
    /// - Throws: what is wrong with a field, by name.
    init(
        _ line: DumpLine, number: Int, partition: Int?, _ source: DumpBytes, _ services: Services
    ) throws {
        let record = line.record
        guard let timestamp = record.timestamp else {
            throw Problem.invalidArgument("timestamp", "is missing")
        }
        let type = try Self.type(line, source, services)
        let limit = services.limits.valueBytesMax
        guard record.value.count <= limit else { throw Problem.tooLarge("a value", limit: limit) }
        let headers =
            record.headers.isAbsent ? [] : try RecordExtras.headers(json: source.bytes(record.headers))
        let encoded = type.extras(with: headers)
        let start = source.extras.count
        source.extras.append(encoded)
        self.init(
            line: number, partition: record.partition ?? partition ?? 0, offset: line.offset ?? 0,
            key: record.key, value: record.value, extras: start..<start + encoded.count,
            timestamp: timestamp, arrival: line.arrival ?? timestamp,
            deadline: line.expiresAt ?? Deadline.never, type: type.type, priority: record.priority ?? 0,
            isSuperseded: line.isSuperseded)
    }

    private static func type(_ line: DumpLine, _ source: DumpBytes, _ services: Services) throws -> ValueType
    {
        let record = line.record
        if !line.tombstone.isAbsent {
            guard record.form == .missing else {
                throw Problem.invalidArgument("tombstone", "stands beside a value")
            }
            guard !record.key.isAbsent else {
                throw Problem.invalidArgument("tombstone", "needs a key, which it says is gone")
            }
            let kind = source.string(line.tombstone)
            guard let type = RecordType.tombstones.first(where: { "\($0.tombstone ?? "")" == kind }) else {
                throw Problem.invalidArgument("tombstone", "must be one of deleted, expired, evicted")
            }
            return ValueType(type: type)
        }
        guard record.form != .missing else {
            throw Problem.invalidArgument("value", "is missing, and so is tombstone")
        }
        let contentType = record.contentType.isAbsent ? nil : source.string(record.contentType)
        return try ValueType(record.form, contentType: contentType) {
            services.parsers.withParser { $0.isSingleText(source.bytes(record.value)) }
        }
    }
}

extension RecordType {
    fileprivate static let tombstones: [RecordType] = [.deleted, .expired, .evicted]
}
