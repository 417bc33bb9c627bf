/// Reads a control body's object field by field; whatever nobody asked for is an unknown field.
///
///     var reader = try ObjectReader(value, at: "memory")
///     if let watermark = try reader.real("watermark", in: 0...1) { … }
///     try reader.nullableBytes("max_bytes", in: 1...Int64.max).assign(to: &configuration.maxBytes)
///     try reader.finish()
///
/// Getters return nil for an absent field and refuse null, unless they are named nullable.
package struct ObjectReader {
    package let path: String
    private let members: [JSONValue.Member]
    private var isRead: [Bool]

    /// - Parameter path: of the object in the body, for messages; empty for the body itself.
    package init(_ value: JSONValue, at path: String = "") throws(FieldFailure) {
        guard case .object(let members) = value else {
            let subject = path.isEmpty ? "The body" : path
            throw FieldFailure(
                .wrongType, path: path, message: "\(subject) must be an object, not \(value.kindDescription)."
            )
        }
        self.path = path
        self.members = members
        isRead = Array(repeating: false, count: members.count)
    }

    /// - Precondition: no two members have the same name.
    package init(_ members: [JSONValue.Member], at path: String) {
        self.path = path
        self.members = members
        isRead = Array(repeating: false, count: members.count)
    }

    /// The names that nobody has asked for yet.
    package var unreadNames: [String] {
        zip(members, isRead).compactMap { $1 ? nil : $0.name }
    }

    /// - Throws: when there is a field that nobody has asked for.
    package func finish() throws(FieldFailure) {
        guard let name = unreadNames.first else { return }
        let place = path.isEmpty ? "" : " of \(path)"
        throw FieldFailure(
            .unknownField, path: fullPath(name),
            message: "\(name) is not a field\(place.isEmpty ? " here" : place).")
    }

    package func fullPath(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// The field's value, null included; nil when it is absent.
    package mutating func raw(_ name: String) -> JSONValue? {
        guard let index = members.firstIndex(where: { $0.name == name }) else { return nil }
        isRead[index] = true
        return members[index].value
    }

    /// The value of a field that must be there.
    package func required<Value>(_ name: String, _ value: Value?) throws(FieldFailure) -> Value {
        if let value { return value }
        throw FieldFailure(.missing, path: fullPath(name), message: "\(fullPath(name)) is missing.")
    }

    // MARK: Typed fields

    package mutating func bool(_ name: String) throws(FieldFailure) -> Bool? {
        guard let value = raw(name) else { return nil }
        guard case .bool(let bool) = value else { throw wrongType(name, "true or false", value) }
        return bool
    }

    package mutating func string(_ name: String) throws(FieldFailure) -> String? {
        guard let value = raw(name) else { return nil }
        guard case .string(let text) = value else { throw wrongType(name, "a string", value) }
        return text
    }

    /// One of the raw values of a string enumeration.
    package mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Choice.Type
    ) throws(FieldFailure) -> Choice? where Choice.RawValue == String {
        guard let text = try string(name) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let choices = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw FieldFailure(
            .outOfRange, path: fullPath(name), message: "\(fullPath(name)) must be one of \(choices).")
    }

    package mutating func integer(
        _ name: String, in range: ClosedRange<Int64> = .min ... .max
    ) throws(FieldFailure) -> Int64? {
        guard let value = raw(name) else { return nil }
        return try integer(name, value, range) { _ in nil }
    }

    package mutating func real(_ name: String, in range: ClosedRange<Double>) throws(FieldFailure) -> Double?
    {
        guard let value = raw(name) else { return nil }
        let number: Double
        switch value {
        case .real(let real): number = real
        case .integer(let integer): number = Double(integer)
        default: throw wrongType(name, "a number", value)
        }
        guard range.contains(number) else {
            throw outOfRange(name, "from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    package mutating func array(_ name: String) throws(FieldFailure) -> [JSONValue]? {
        guard let value = raw(name) else { return nil }
        guard case .array(let elements) = value else { throw wrongType(name, "an array", value) }
        return elements
    }

    /// A nested object, to be read and finished by the caller.
    package mutating func object(_ name: String) throws(FieldFailure) -> ObjectReader? {
        guard let value = raw(name) else { return nil }
        return try ObjectReader(value, at: fullPath(name))
    }

    // MARK: Shared by the extensions

    func integer(
        _ name: String, _ value: JSONValue, _ range: ClosedRange<Int64>, text parse: (String) -> Int64?,
        expectation: String = "an integer"
    ) throws(FieldFailure) -> Int64 {
        let integer: Int64
        switch value {
        case .integer(let value): integer = value
        case .string(let text):
            guard let parsed = parse(text) else { throw wrongType(name, expectation, value) }
            integer = parsed
        default: throw wrongType(name, expectation, value)
        }
        guard range.contains(integer) else {
            throw outOfRange(
                name,
                range.upperBound == .max
                    ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    func wrongType(_ name: String, _ expectation: String, _ value: JSONValue) -> FieldFailure {
        FieldFailure(
            .wrongType, path: fullPath(name),
            message: "\(fullPath(name)) must be \(expectation), not \(value.kindDescription).")
    }

    func outOfRange(_ name: String, _ range: String) -> FieldFailure {
        FieldFailure(.outOfRange, path: fullPath(name), message: "\(fullPath(name)) must be \(range).")
    }
}
