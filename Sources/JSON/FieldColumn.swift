import CSimdJSON

/// A wanted column: the top-level member it comes from and what its values become.
package struct FieldColumn: Sendable, Hashable {
    package enum Target: Sendable, Hashable {
        /// `UInt8`, 0 or 1. Lenient: strings "true" and "false" as well.
        case boolean(lenient: Bool)
        /// `Int64`: integer literals that fit, -0 is 0. Lenient: strings of such a literal as well.
        case int64(lenient: Bool)
        /// `Double`: all number literals, correctly rounded; one beyond the largest double is a misfit, one
        /// too small for any is zero. Lenient: strings of such a literal as well.
        case double(lenient: Bool)
        /// A string's decoded content, in 16 bytes as DuckDB's `duckdb_string_t` has them. With `anyValue`,
        /// numbers, booleans and nested values give their JSON text.
        case text(anyValue: Bool)
        /// The JSON text of any value as it stands, in the same 16 bytes. JSON's null is no value.
        case json

        /// What a row takes in the column's array.
        package var elementBytes: Int {
            switch self {
            case .boolean: 1
            case .int64, .double: 8
            case .text, .json: 16
            }
        }
    }

    /// The member's name, decoded.
    package let name: [UInt8]
    package let target: Target

    package init(name: [UInt8], target: Target) {
        self.name = name
        self.target = target
    }

    package init(_ name: String, _ target: Target) {
        self.init(name: Array(name.utf8), target: target)
    }
}

extension FieldColumn.Target {
    var forC: (target: pyra_column_target, flags: Int) {
        switch self {
        case .boolean(let lenient): (PYRA_COLUMN_BOOLEAN, lenient ? Int(PYRA_COLUMN_LENIENT) : 0)
        case .int64(let lenient): (PYRA_COLUMN_INT64, lenient ? Int(PYRA_COLUMN_LENIENT) : 0)
        case .double(let lenient): (PYRA_COLUMN_DOUBLE, lenient ? Int(PYRA_COLUMN_LENIENT) : 0)
        case .text(let anyValue): (PYRA_COLUMN_TEXT, anyValue ? Int(PYRA_COLUMN_ANY_AS_TEXT) : 0)
        case .json: (PYRA_COLUMN_JSON, 0)
        }
    }
}
