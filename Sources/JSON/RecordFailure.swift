import CSimdJSON

/// A record body that cannot be accepted.
package struct RecordFailure: Error, Sendable, Equatable {
    package enum Kind: Sendable {
        case invalid
        case tooDeep
        /// More records than allowed.
        case tooMany
        /// Longer than a parser's positions reach (2 GiB).
        case tooLarge
        case noMemory
        case unknownField
        case duplicateField
        case wrongType
        case outOfRange
        case missing
        /// A field stands beside another that excludes it.
        case conflict
    }

    package let kind: Kind
    /// What is wrong; begins in the middle of a sentence when `field` is its subject.
    package let complaint: String
    package let field: String?
    /// Byte position in the text.
    package let position: Int?
    /// Index of the record from 0; for NDJSON the line within the call, from 1; for a merge 0 for the target, 1 for the patch.
    package let item: Int?

    /// A whole sentence.
    package var message: String {
        guard let field else { return complaint }
        return "Field \(field) \(complaint)."
    }

    init(_ error: borrowing pyra_json_error) {
        kind =
            switch error.code {
            case PYRA_JSON_TOO_DEEP: .tooDeep
            case PYRA_JSON_TOO_MANY: .tooMany
            case PYRA_JSON_TOO_LARGE: .tooLarge
            case PYRA_JSON_NO_MEMORY: .noMemory
            case PYRA_JSON_UNKNOWN_FIELD: .unknownField
            case PYRA_JSON_DUPLICATE_FIELD: .duplicateField
            case PYRA_JSON_WRONG_TYPE: .wrongType
            case PYRA_JSON_OUT_OF_RANGE: .outOfRange
            case PYRA_JSON_MISSING: .missing
            case PYRA_JSON_CONFLICT: .conflict
            default: .invalid
            }
        complaint = withUnsafeBytes(of: error.message) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        let name = withUnsafeBytes(of: error.field) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        field = name.isEmpty ? nil : name
        position = error.position >= 0 ? Int(error.position) : nil
        item = error.item >= 0 ? Int(error.item) : nil
    }
}
