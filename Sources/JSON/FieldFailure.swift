/// A field of a control body that cannot be accepted.
package struct FieldFailure: Error, Sendable, Equatable {
    package enum Kind: Sendable {
        case unknownField
        case wrongType
        case outOfRange
        case missing
    }

    package let kind: Kind
    /// Dotted: `memory.max_bytes`, `keys[3]`; empty for the body itself.
    package let path: String
    /// A sentence that names the field and what is expected.
    package let message: String

    package init(_ kind: Kind, path: String, message: String) {
        self.kind = kind
        self.path = path
        self.message = message
    }
}
