/// Why a schema or an array cannot be written: every case names the column and its format string.
package enum ArrowStreamFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// The format string names no type that is known here.
    case unknownFormat(column: String, format: String)
    /// The schema breaks a rule of the C data interface.
    case malformedSchema(column: String, format: String, reason: String)
    /// The array breaks a rule of the C data interface, or does not fit its schema.
    case malformedArray(column: String, format: String, reason: String)
    /// More than the numbers of the format can say.
    case tooLarge(column: String, format: String, reason: String)

    package var description: String {
        switch self {
        case .unknownFormat(let column, let format):
            "column \"\(column)\": the Arrow format \"\(format)\" is not known"
        case .malformedSchema(let column, let format, let reason):
            "column \"\(column)\" (Arrow format \"\(format)\"): the schema is malformed: \(reason)"
        case .malformedArray(let column, let format, let reason):
            "column \"\(column)\" (Arrow format \"\(format)\"): the array is malformed: \(reason)"
        case .tooLarge(let column, let format, let reason):
            "column \"\(column)\" (Arrow format \"\(format)\") is too large: \(reason)"
        }
    }
}
