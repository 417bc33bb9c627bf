import JSON
import Snapshots
import StorageEngine

/// What bodies that load a snapshot have in common: `logs`, `rename`, `mode`, `replace`.
enum LoadBody {
    static func options(_ reader: inout ObjectReader, withMode: Bool) throws -> LoadOptions {
        var options = LoadOptions()
        options.logs = try logs(&reader)
        if let names = try reader.object("rename") { options.rename = try rename(names) }
        if withMode { options.mode = try reader.choice("mode", LogConfiguration.Mode.self) }
        options.replaces = try reader.bool("replace") ?? false
        return options
    }

    /// The names of an array; nil when it is absent.
    static func logs(_ reader: inout ObjectReader) throws -> [String]? {
        guard let elements = try reader.array("logs") else { return nil }
        return try elements.enumerated().map { index, element in
            guard case .string(let name) = element else {
                throw Problem.invalidArgument("logs[\(index)]", "must be a string, the name of a log")
            }
            return try LogName.parse(Array(name.utf8), field: "logs[\(index)]")
        }
    }

    private static func rename(_ names: ObjectReader) throws -> [String: String] {
        var names = names
        var rename: [String: String] = [:]
        for old in names.unreadNames {
            guard let new = try names.string(old) else { continue }
            rename[old] = try LogName.parse(Array(new.utf8), field: names.fullPath(old))
        }
        return rename
    }
}
