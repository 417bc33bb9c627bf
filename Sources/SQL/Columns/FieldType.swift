import DuckDBClient
import JSON

/// The type of a field's column, and how its values come out of JSON.
struct FieldType: Hashable, Sendable {
    /// What happens to what simdjson extracted.
    enum Conversion: Hashable, Sendable {
        case none
        /// A 64-bit integer to a narrower one.
        case narrow
        /// A double to a float.
        case float
        /// Text, by DuckDB's own TRY_CAST to this type.
        case cast(String)
    }

    let type: ColumnType
    let target: FieldColumn.Target
    let conversion: Conversion

    /// The narrowest type that holds all of these: BIGINT → DOUBLE → JSON.
    init(inferredFrom kinds: FieldKinds) {
        switch kinds.subtracting(.null) {
        case .boolean: self.init(.scalar(.boolean), .boolean(lenient: false))
        case .integer: self.init(.scalar(.bigint), .int64(lenient: false))
        case .number, [.integer, .number]: self.init(.scalar(.double), .double(lenient: false))
        case .string: self.init(.scalar(.varchar), .text(anyValue: false))
        default: self.init(.json, .json)
        }
    }

    /// Of a record's own time, which is no field of its value.
    static let recordTime = Self(.scalar(.timestampWithZone), .int64(lenient: false))

    private init(
        _ type: ColumnType, _ target: FieldColumn.Target, _ conversion: Conversion = .none
    ) {
        self.type = type
        self.target = target
        self.conversion = conversion
    }

    /// A declared type, by its SQL name; nil for one that is no scalar type of DuckDB's.
    init?(declared text: String) {
        let name = text.uppercased().split(separator: " ").joined(separator: " ")
        if name == "JSON" {
            self.init(.json, .json)
        } else if let scalar = Self.scalars[name] {
            self.init(scalar)
        } else if let decimal = Self.decimal(name) {
            self.init(decimal, .text(anyValue: true), .cast(decimal.name))
        } else {
            return nil
        }
    }

    private init(_ scalar: TypeIdentifier) {
        switch scalar {
        case .boolean: self.init(.scalar(scalar), .boolean(lenient: true))
        case .bigint: self.init(.scalar(scalar), .int64(lenient: true))
        case .tinyint, .smallint, .integer, .utinyint, .usmallint, .uinteger:
            self.init(.scalar(scalar), .int64(lenient: true), .narrow)
        case .double: self.init(.scalar(scalar), .double(lenient: true))
        case .float: self.init(.scalar(scalar), .double(lenient: true), .float)
        case .varchar: self.init(.scalar(scalar), .text(anyValue: true))
        default: self.init(.scalar(scalar), .text(anyValue: true), .cast(scalar.name))
        }
    }

    private static let scalars: [String: TypeIdentifier] = [
        "BOOLEAN": .boolean, "BOOL": .boolean, "LOGICAL": .boolean,
        "TINYINT": .tinyint, "INT1": .tinyint, "SMALLINT": .smallint, "INT2": .smallint, "SHORT": .smallint,
        "INTEGER": .integer, "INT": .integer, "INT4": .integer, "SIGNED": .integer,
        "BIGINT": .bigint, "INT8": .bigint, "LONG": .bigint, "HUGEINT": .hugeint, "UHUGEINT": .uhugeint,
        "UTINYINT": .utinyint, "USMALLINT": .usmallint, "UINTEGER": .uinteger, "UBIGINT": .ubigint,
        "FLOAT": .float, "FLOAT4": .float, "REAL": .float, "DOUBLE": .double, "FLOAT8": .double,
        "DOUBLE PRECISION": .double,
        "VARCHAR": .varchar, "TEXT": .varchar, "STRING": .varchar, "CHAR": .varchar, "BPCHAR": .varchar,
        "BLOB": .blob, "BYTEA": .blob, "BINARY": .blob, "VARBINARY": .blob, "BIT": .bit, "BITSTRING": .bit,
        "DATE": .date, "TIME": .time, "TIMESTAMP": .timestamp, "DATETIME": .timestamp,
        "TIMESTAMP_S": .timestampSeconds, "TIMESTAMP_MS": .timestampMilliseconds,
        "TIMESTAMP_NS": .timestampNanoseconds, "TIMESTAMPTZ": .timestampWithZone,
        "TIMESTAMP WITH TIME ZONE": .timestampWithZone, "TIMETZ": .timeWithZone,
        "TIME WITH TIME ZONE": .timeWithZone, "INTERVAL": .interval, "UUID": .uuid,
    ]

    /// `DECIMAL`, `DECIMAL(18)`, `NUMERIC(18,4)`.
    private static func decimal(_ name: String) -> ColumnType? {
        let form = /(DECIMAL|NUMERIC|DEC)(?: ?\( ?(\d{1,2}) ?(?:, ?(\d{1,2}) ?)?\))?/
        guard let match = try? form.wholeMatch(in: name) else {
            // Matching this form never throws.
            return nil
        }
        let width = match.2.flatMap { Int($0) } ?? 18
        let scale = match.3.flatMap { Int($0) } ?? (match.2 == nil ? 3 : 0)
        guard (1...38).contains(width), scale <= width else { return nil }
        let storage: TypeIdentifier =
            width <= 4 ? .smallint : width <= 9 ? .integer : width <= 18 ? .bigint : .hugeint
        return .decimal(width: width, scale: scale, storage: storage)
    }
}

/// Whether a log may declare a field of this type.
package func isFieldType(_ text: String) -> Bool { FieldType(declared: text) != nil }
