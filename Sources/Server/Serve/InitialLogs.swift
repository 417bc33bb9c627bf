import HTTP
import HTTPClient
import JSON

/// The file of `--init`: what exists before the first request.
///
///     logs:
///       sessions: {compaction: keys, ttl_ms: 30m}
enum InitialLogs {
    static func create(from path: String, _ router: Router) throws(UsageFailure) {
        guard let root = try YAMLFile.read(path) else { return }
        guard case .object(let sections) = try YAMLFile.json(root, path) else {
            throw UsageFailure("\(path): expected keys and values")
        }
        for section in sections {
            switch section.name {
            case "logs":
                guard case .object(let logs) = section.value else {
                    throw UsageFailure("\(path): logs: expected names, each with its configuration")
                }
                for log in logs { try create(log, path, router) }
            case "streams", "tables", "links":
                throw UsageFailure("\(path): \(section.name): not implemented yet")
            default:
                throw UsageFailure("\(path): \(section.name): unknown; expected logs")
            }
        }
    }

    /// Through the same route as a client's request, so that the same is refused in the same words.
    private static func create(_ log: JSONValue.Member, _ path: String, _ router: Router) throws(UsageFailure)
    {
        let configuration = log.value == .null ? .object([]) : log.value
        let response = router.respond(
            to: Request(
                .put, "/v1/logs/\(PercentEncoding.encode(Array(log.name.utf8)))",
                fields: [("Content-Type", "application/json")], body: ControlJSON.serialize(configuration)))
        guard (200..<300).contains(response.status) else {
            let problem = ServerProblem(status: response.status, body: response.body)
            throw UsageFailure("\(path): log \(log.name): \(problem)")
        }
    }
}
