import ArgumentParser
import JSON

/// `name=value` on the command line.
struct NamedParameter: ExpressibleByArgument {
    let name: String
    let value: JSONValue

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
        name = String(argument[..<equals])
        value = Self.value(String(argument[argument.index(after: equals)...]))
    }

    /// A number, a boolean, null or a quoted text as JSON has them; anything else is a text as it stands.
    static func value(_ text: String) -> JSONValue {
        // What is no JSON is text.
        switch try? ControlJSON.parse(Array(text.utf8)) {
        case .null?: .null
        case .bool(let value)?: .bool(value)
        case .integer(let value)?: .integer(value)
        case .real(let value)?: .real(value)
        case .string(let value)?: .string(value)
        case .array?, .object?, nil: .string(text)
        }
    }
}
