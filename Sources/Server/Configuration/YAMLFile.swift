import Glibc
import JSON
import Yams

/// Reads a YAML file, or a JSON file, which is YAML too.
enum YAMLFile {
    /// Configuration is small; this is far above it and keeps a wrong file name from filling the memory.
    private static let bytesMax = 16 << 20

    /// - Returns: nil for an empty file.
    static func read(_ path: String) throws(UsageFailure) -> Node? {
        let text = try contents(path)
        do { return try Yams.compose(yaml: text) } catch {
            throw UsageFailure("\(path): \(error)")
        }
    }

    /// The same as JSON; scalars get the type that YAML gives them.
    static func json(_ node: Node, _ path: String) throws(UsageFailure) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            var members: [JSONValue.Member] = []
            for (name, child) in mapping {
                guard let name = name.scalar?.string else {
                    throw UsageFailure("\(path): a key that is not a text")
                }
                members.append(.init(name, try json(child, path)))
            }
            return .object(members)
        case .sequence(let sequence):
            var items: [JSONValue] = []
            for item in sequence { items.append(try json(item, path)) }
            return .array(items)
        case .scalar(let scalar):
            return scalarValue(node, scalar.string)
        case .alias:
            throw UsageFailure("\(path): aliases are not supported")
        }
    }

    private static func scalarValue(_ node: Node, _ text: String) -> JSONValue {
        switch node.tag.rawValue {
        case Tag.Name.null.rawValue: return .null
        case Tag.Name.bool.rawValue: return node.bool.map { .bool($0) } ?? .string(text)
        case Tag.Name.int.rawValue: return node.int.map { .integer(Int64($0)) } ?? .string(text)
        case Tag.Name.float.rawValue: return node.float.map { .real($0) } ?? .string(text)
        default: return .string(text)
        }
    }

    private static func contents(_ path: String) throws(UsageFailure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw UsageFailure("\(path): \(systemMessage())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw UsageFailure("\(path): \(systemMessage())")
            }
            bytes.append(contentsOf: chunk[..<count])
            if bytes.count > bytesMax { throw UsageFailure("\(path): larger than \(bytesMax) bytes") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw UsageFailure("\(path): not UTF-8")
        }
        return text
    }

    private static func systemMessage() -> String { String(cString: strerror(errno)) }
}
