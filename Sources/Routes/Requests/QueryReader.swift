import HTTP
import JSON
import StorageEngine

/// The query of a request, read strictly: a parameter that the route does not know, or one given twice, is refused
/// before anything else happens.
struct QueryReader {
    private let parameters: [(name: [UInt8], value: [UInt8])]

    /// - Parameter allowed: every parameter of the route.
    /// - Throws: `unknown_field` naming the first stranger, `invalid_argument` for duplicates and bad encoding.
    init(_ request: Request, allowed: [String]) throws {
        parameters = try request.query()
        for (index, parameter) in parameters.enumerated() {
            guard allowed.contains(where: { Self.matches(parameter.name, $0) }) else {
                throw Problem.unknownParameter(
                    String(decoding: parameter.name, as: UTF8.self), allowed: allowed)
            }
            if parameters[..<index].contains(where: { $0.name == parameter.name }) {
                throw Problem.duplicateParameter(String(decoding: parameter.name, as: UTF8.self))
            }
        }
    }

    var isEmpty: Bool { parameters.isEmpty }

    func has(_ name: String) -> Bool { bytes(name) != nil }

    func bytes(_ name: String) -> [UInt8]? {
        if parameters.isEmpty { return nil }
        return parameters.first { Self.matches($0.name, name) }?.value
    }

    /// - Throws: `invalid_argument` unless it is UTF-8.
    func text(_ name: String) throws(Problem) -> String? {
        guard let bytes = bytes(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .invalidArgument(name, "must be UTF-8")
        }
        return text
    }

    func integer(_ name: String, in range: ClosedRange<Int64>) throws(Problem) -> Int64? {
        guard let bytes = bytes(name) else { return nil }
        guard let value = Self.decimal(bytes), range.contains(value) else { throw .outOfRange(name, range) }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(Problem) -> Int? {
        let wide = try integer(name, in: Int64(range.lowerBound)...Int64(range.upperBound))
        return wide.map { Int($0) }
    }

    /// `true` or `false`; nothing else, so that `clamp=no` is not taken for yes.
    func boolean(_ name: String) throws(Problem) -> Bool? {
        guard let bytes = bytes(name) else { return nil }
        if Self.matches(bytes, "true") { return true }
        if Self.matches(bytes, "false") { return false }
        throw .invalidArgument(name, "must be true or false")
    }

    func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String, _ type: Choice.Type
    ) throws(Problem) -> Choice? where Choice.RawValue == String {
        guard let bytes = bytes(name) else { return nil }
        guard let choice = Choice.allCases.first(where: { Self.matches(bytes, $0.rawValue) }) else {
            let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
            throw .invalidArgument(name, "must be one of \(names)")
        }
        return choice
    }

    /// Unix milliseconds, or RFC 3339.
    func timestamp(_ name: String) throws(Problem) -> Int64? {
        guard let text = try text(name) else { return nil }
        guard let milliseconds = Timestamp.parse(text) else { throw Timestamp.invalid(name) }
        return milliseconds
    }

    /// Standard base64.
    func base64(_ name: String) throws(Problem) -> [UInt8]? {
        guard let encoded = try text(name) else { return nil }
        guard let decoded = Base64.decode(encoded) else {
            throw .invalidArgument(name, "must be padded base64 (in a query, + is written %2B)")
        }
        return decoded
    }

    /// `ack=`: how the write is to be acknowledged.
    func acknowledgement() throws(Problem) -> Acknowledgement? { try choice("ack", Acknowledgement.self) }

    private static func matches(_ bytes: [UInt8], _ name: String) -> Bool { bytes.elementsEqual(name.utf8) }

    /// A plain decimal number: no plus sign, no blanks, no other digits than 0 to 9.
    private static func decimal(_ bytes: [UInt8]) -> Int64? {
        let digits = bytes.first == UInt8(ascii: "-") ? bytes.dropFirst() : bytes[...]
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int64(String(decoding: bytes, as: UTF8.self))
    }
}
