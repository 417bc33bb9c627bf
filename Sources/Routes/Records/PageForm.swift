/// How records are answered.
enum PageForm: String, CaseIterable, Sendable {
    case json = "application/json"
    case lines = "application/x-ndjson"
    case events = "text/event-stream"
    case raw = "application/octet-stream"
}
