import DuckDBClient

/// A column of a log as a table.
enum LogColumn: Sendable {
    case field(FieldRequest)
    case partition
    case offset
    case timestamp
    case key(TextForm)
    case value(TextForm)
    case headers
    case expiresAt
    case priority

    /// What bytes can be shown as, from the narrowest to the widest.
    enum TextForm: Sendable {
        case json
        case text
        case bytes

        var type: ColumnType {
            switch self {
            case .json: .json
            case .text: .scalar(.varchar)
            case .bytes: .scalar(.blob)
            }
        }
    }

    var type: ColumnType {
        switch self {
        case .field(let request): request.type.type
        case .partition, .priority: .scalar(.integer)
        case .offset: .scalar(.bigint)
        case .timestamp, .expiresAt: .scalar(.timestampWithZone)
        case .key(let form), .value(let form): form.type
        case .headers: .json
        }
    }
}
