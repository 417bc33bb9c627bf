/// `duckdb_type` of the C API.
package enum TypeIdentifier: UInt32, Sendable {
    case boolean = 1
    case tinyint, smallint, integer, bigint
    case utinyint, usmallint, uinteger, ubigint
    case float, double
    case timestamp, date, time, interval
    case hugeint
    case varchar, blob
    case decimal
    case timestampSeconds, timestampMilliseconds, timestampNanoseconds
    case enumeration
    case list, structure, map
    case uuid
    case union
    case bit
    case timeWithZone = 30
    case timestampWithZone = 31
    case uhugeint = 32
    case array = 33
    case null = 36
    case timeNanoseconds = 39

    /// Bytes of a value in a vector; nil for nested types.
    package var byteCount: Int? {
        switch self {
        case .boolean, .tinyint, .utinyint: 1
        case .smallint, .usmallint: 2
        case .integer, .uinteger, .float, .date: 4
        case .bigint, .ubigint, .double, .timestamp, .time, .timestampSeconds, .timestampMilliseconds,
            .timestampNanoseconds, .timeWithZone, .timestampWithZone, .timeNanoseconds:
            8
        case .interval, .hugeint, .varchar, .blob, .uuid, .bit, .uhugeint: 16
        case .null: 4
        case .decimal, .enumeration, .list, .structure, .map, .union, .array: nil
        }
    }

    /// Whether its values are string headers.
    package var isText: Bool { self == .varchar || self == .blob || self == .bit }

    package var name: String {
        switch self {
        case .boolean: "BOOLEAN"
        case .tinyint: "TINYINT"
        case .smallint: "SMALLINT"
        case .integer: "INTEGER"
        case .bigint: "BIGINT"
        case .utinyint: "UTINYINT"
        case .usmallint: "USMALLINT"
        case .uinteger: "UINTEGER"
        case .ubigint: "UBIGINT"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .timestamp: "TIMESTAMP"
        case .date: "DATE"
        case .time: "TIME"
        case .interval: "INTERVAL"
        case .hugeint: "HUGEINT"
        case .varchar: "VARCHAR"
        case .blob: "BLOB"
        case .decimal: "DECIMAL"
        case .timestampSeconds: "TIMESTAMP_S"
        case .timestampMilliseconds: "TIMESTAMP_MS"
        case .timestampNanoseconds: "TIMESTAMP_NS"
        case .enumeration: "ENUM"
        case .list: "LIST"
        case .structure: "STRUCT"
        case .map: "MAP"
        case .uuid: "UUID"
        case .union: "UNION"
        case .bit: "BIT"
        case .timeWithZone: "TIME WITH TIME ZONE"
        case .timestampWithZone: "TIMESTAMP WITH TIME ZONE"
        case .uhugeint: "UHUGEINT"
        case .array: "ARRAY"
        case .null: "NULL"
        case .timeNanoseconds: "TIME_NS"
        }
    }
}
