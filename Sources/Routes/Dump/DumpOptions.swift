import HTTP
import StorageEngine

/// What the query of a load asks for.
struct DumpOptions: Sendable {
    static let parameters = ["logs", "replace", "append", "mode"]

    /// Nil: all that the dump has.
    let logs: Set<String>?
    /// Logs of these names give way; else they are a reason to refuse.
    let replaces: Bool
    /// Logs of these names stay and get the records.
    let appends: Bool
    /// In place of the one that each log had.
    let mode: LogConfiguration.Mode?

    init(_ request: Request) throws {
        let query = try QueryReader(request, allowed: Self.parameters)
        logs = try Self.names(query).map { Set($0) }
        replaces = try query.boolean("replace") ?? false
        appends = try query.boolean("append") ?? false
        mode = try query.choice("mode", LogConfiguration.Mode.self)
        if replaces, appends { throw Problem.invalidArgument("append", "cannot be combined with replace") }
        if request.hasField("Idempotency-Key") {
            throw Problem.invalidArgument(
                "Idempotency-Key", "is not for loads; one that is repeated finds the logs there")
        }
    }

    /// `logs=a,b`, each once. - Returns: nil without it.
    static func names(_ query: QueryReader) throws -> [String]? {
        guard let text = query.bytes("logs") else { return nil }
        var names: [String] = []
        for part in text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            let name = try LogName.parse(Array(part), field: "logs")
            guard !names.contains(name) else {
                throw Problem.invalidArgument("logs", "names \(name) more than once")
            }
            names.append(name)
        }
        return names
    }
}
