import Yams

/// A YAML file of settings, nested or with dots: `limits: {body: 16MiB}` is `limits.body`.
enum ConfigurationFile {
    enum Value: Sendable, Equatable {
        case text(String)
        case list([String])
    }

    /// - Throws: what is wrong, with the file's name and, where YAML itself is malformed, its line.
    static func read(_ path: String) throws(UsageFailure) -> [String: Value] {
        guard let root = try YAMLFile.read(path) else { return [:] }
        var values: [String: Value] = [:]
        try flatten(root, prefix: "", path, into: &values)
        return values
    }

    private static func flatten(
        _ node: Node, prefix: String, _ path: String, into values: inout [String: Value]
    ) throws(UsageFailure) {
        guard case .mapping(let mapping) = node else {
            throw UsageFailure("\(path): expected keys and values\(prefix.isEmpty ? "" : " under \(prefix)")")
        }
        for (name, child) in mapping {
            guard let name = name.scalar?.string else {
                throw UsageFailure("\(path): a key that is not a text")
            }
            let key = prefix.isEmpty ? name : "\(prefix).\(name)"
            guard values[key] == nil else { throw UsageFailure("\(path): \(key) is there twice") }
            switch child {
            case .mapping:
                try flatten(child, prefix: key, path, into: &values)
            case .scalar(let scalar):
                if child.tag.rawValue != Tag.Name.null.rawValue { values[key] = .text(scalar.string) }
            case .sequence(let sequence):
                values[key] = .list(try texts(of: sequence, key, path))
            case .alias:
                throw UsageFailure("\(path): \(key): aliases are not supported")
            }
        }
    }

    private static func texts(
        of sequence: Node.Sequence, _ key: String, _ path: String
    ) throws(UsageFailure) -> [String] {
        var texts: [String] = []
        for item in sequence {
            guard let text = item.scalar?.string else {
                throw UsageFailure("\(path): \(key): expected a list of texts")
            }
            texts.append(text)
        }
        return texts
    }
}
