import CSimdJSON

/// The kinds of value that a field has had.
package struct FieldKinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    private init(_ kind: some BinaryInteger) { rawValue = UInt8(truncatingIfNeeded: kind) }

    package static let null = FieldKinds(PYRA_FIELD_NULL)
    package static let boolean = FieldKinds(PYRA_FIELD_BOOLEAN)
    /// An integer literal (no fraction, no exponent) that fits `Int64`.
    package static let integer = FieldKinds(PYRA_FIELD_INTEGER)
    /// Any other number.
    package static let number = FieldKinds(PYRA_FIELD_NUMBER)
    package static let string = FieldKinds(PYRA_FIELD_STRING)
    /// An object or an array.
    package static let nested = FieldKinds(PYRA_FIELD_NESTED)
}
