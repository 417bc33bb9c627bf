import Glibc
import HTTPClient
import JSON

/// One tail over as many connections as it takes.
struct TailSession {
    let log: String
    let last: Int
    let partition: Int?
    /// The server has answered at least once.
    private(set) var isConnected = false
    private var position: String?

    /// The server sends a ping every 15 seconds.
    private static let silenceTimeoutSeconds = 45

    init(log: String, last: Int, partition: Int?) {
        self.log = log
        self.last = last
        self.partition = partition
    }

    /// Follows until the server says that there is no more.
    /// - Throws: `HTTPClientFailure` when the connection is lost; run again then.
    mutating func run(_ server: ServerConnection) throws {
        var parser = EventStreamParser()
        var refusal: [UInt8] = []
        var end: Result<Void, any Error>?
        let response = try server.http.send(request(server)) { response, bytes in
            guard response.status == 200 else {
                refusal.append(contentsOf: bytes)
                return true
            }
            isConnected = true
            for event in parser.take(bytes) where end == nil { end = take(event) }
            return end == nil
        }
        switch response.status {
        case 204: return
        case 200: break
        default: throw ServerProblem(status: response.status, body: refusal)
        }
        guard let end else { throw HTTPClientFailure("the server ended the stream") }
        try end.get()
    }

    private func request(_ server: ServerConnection) -> ClientRequest {
        var fields = [(name: "Accept", value: "text/event-stream")]
        if let position { fields.append(("Last-Event-ID", position)) }
        var request = server.request(
            "GET", ["v1", "logs", log, "records"],
            query: [
                ("last", position == nil ? String(last) : nil),
                ("partition", partition.map(String.init) ?? "*"),
            ],
            fields: fields)
        request.limits.silenceSeconds = Self.silenceTimeoutSeconds
        return request
    }

    /// - Returns: how the tail ends, if it ends with this event.
    private mutating func take(_ event: EventStreamParser.Event) -> Result<Void, any Error>? {
        switch event.name {
        case "record":
            if let id = event.id { position = id }
            return StandardStreams.write(event.data + "\n", to: STDOUT_FILENO) ? nil : .success(())
        case "error":
            return .failure(ServerProblem(status: 200, body: Array(event.data.utf8)))
        case "done":
            StandardStreams.complain("pyralog: the tail ended: \(event.data)")
            return .success(())
        default:
            return nil
        }
    }
}
