import HTTP
import HTTPClient
import JSON

/// The file of `--init`: what exists before the first request.
///
///     logs:
///       sessions: {compaction: keys, ttl_ms: 30m}
struct InitialLogs: Sendable {
    private let path: String
    private var logs: [JSONValue.Member] = []

    init(reading path: String) throws(UsageFailure) {
        self.path = path
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
                self.logs += logs
            case "streams", "tables", "links":
                throw UsageFailure("\(path): \(section.name): not implemented yet")
            default:
                throw UsageFailure("\(path): \(section.name): unknown; expected logs")
            }
        }
    }

    func create(_ router: Router) throws(UsageFailure) {
        for log in logs { try create(log, router) }
    }

    /// Through the same route as a client's request, so that the same is refused in the same words.
    private func create(_ log: JSONValue.Member, _ router: Router) throws(UsageFailure) {
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
