import HTTP
import JSON
import Platform
import SQL

/// A query as a body brings it: JSON, or the text alone.
struct SQLBody {
    static let timeouts: ClosedRange<Int64> = 1...86_400_000

    enum Form {
        case json
        case text
        /// By its first byte.
        case unknown

        /// - Throws: `unsupported_media_type`.
        init(_ request: Request) throws(Problem) {
            guard let text = request.field("Content-Type"), !text.isEmpty else {
                self = .unknown
                return
            }
            let type = try MediaType(text)
            if type.isJSON {
                self = .json
            } else if type.essence == "application/sql" || type.essence == "text/plain" {
                self = .text
            } else if type.isForm {
                self = .unknown
            } else {
                throw .unsupportedMediaType(
                    "\(Problem.quoted(text)) is neither JSON nor SQL",
                    accepts: "application/json, application/sql, text/plain")
            }
        }
    }

    let query: Query.Request

    init(_ request: Request) throws {
        let first = request.body.bytes.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        guard let first else { throw Problem.invalidArgument("sql", "is missing: the body is empty") }
        let isJSON =
            switch try Form(request) {
            case .json: true
            case .text: false
            case .unknown: first == UInt8(ascii: "{")
            }
        if isJSON {
            query = try Self.read(ControlJSON.parse(request.body.bytes))
        } else if let text = String(validating: request.body.bytes, as: UTF8.self) {
            query = Query.Request(text)
        } else {
            throw Problem.invalidArgument("sql", "must be UTF-8")
        }
    }

    private static func read(_ json: JSONValue) throws -> Query.Request {
        var reader = try ObjectReader(json)
        var query = Query.Request(try reader.required("sql", reader.string("sql")))
        query.timeoutMilliseconds = try reader.integer("timeout_ms", in: timeouts)
        if let parameters = reader.raw("params") { query.parameters = try self.parameters(parameters) }
        try reader.finish()
        return query
    }

    private static func parameters(_ json: JSONValue) throws(Problem) -> Query.Parameters {
        switch json {
        case .array(let values):
            var bound: [Query.Value] = []
            for (index, value) in values.enumerated() {
                bound.append(try self.value(value, "params[\(index)]"))
            }
            return .positional(bound)
        case .object(let members):
            var bound: [String: Query.Value] = [:]
            for member in members { bound[member.name] = try value(member.value, "params.\(member.name)") }
            return .named(bound)
        case .null: return .none
        default:
            throw .invalidArgument("params", "must be an array, or an object for named parameters")
        }
    }

    private static func value(_ json: JSONValue, _ field: String) throws(Problem) -> Query.Value {
        switch json {
        case .null: return .null
        case .bool(let value): return .boolean(value)
        case .integer(let value): return .integer(value)
        case .real(let value): return .double(value)
        case .string(let text): return .text(text)
        case .array, .object:
            throw .invalidArgument(field, "must be null, a boolean, a number or a string")
        }
    }
}
