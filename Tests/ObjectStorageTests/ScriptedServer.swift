import HTTPClient
import Synchronization

@testable import ObjectStorage

/// Answers requests by a function instead of a network, and a clock that only waiting moves.
final class ScriptedServer: HTTPTransport {
    struct Answer {
        var status = 200
        var fields: [(name: String, value: String)] = []
        var body = ""
        var failure: HTTPClientFailure?
    }

    struct Seen: Sendable {
        let method: String
        let url: String
        let fields: [String: String]
    }

    private let state = Mutex<(seen: [Seen], milliseconds: Int, pauses: Int)>(([], 0, 0))
    private let respond: @Sendable (Seen, _ number: Int) -> Answer

    /// - Parameter respond: gets the number of the request, from 1 on.
    init(_ respond: @escaping @Sendable (Seen, _ number: Int) -> Answer) { self.respond = respond }

    var seen: [Seen] { state.withLock { $0.seen } }
    var methods: [String] { seen.map(\.method) }
    /// All that was waited for.
    var waitedMilliseconds: Int { state.withLock { $0.milliseconds } }

    func send(
        _ request: ClientRequest, receive: (ClientResponse, UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientFailure) -> ClientResponse {
        let fields = Dictionary(request.fields.map { ($0.name, $0.value) }) { $1 }
        let seen = Seen(method: request.method, url: request.url, fields: fields)
        let number = state.withLock { state in
            state.seen.append(seen)
            return state.seen.count
        }
        let answer = respond(seen, number)
        if let failure = answer.failure { throw failure }
        let response = ClientResponse(status: answer.status, fields: answer.fields)
        if !answer.body.isEmpty {
            _ = Array(answer.body.utf8).withUnsafeBytes { receive(response, $0) }
        }
        return response
    }

    /// Chance always takes the longest wait.
    var clock: RetryClock {
        RetryClock(
            milliseconds: { self.waitedMilliseconds },
            pause: { milliseconds in self.state.withLock { $0.milliseconds += milliseconds } },
            random: { $0.upperBound })
    }

    func store(change: (inout S3Configuration) -> Void = { _ in }) throws(ObjectStoreFailure) -> S3Store {
        var configuration = S3Configuration(accessKeyID: "KEYID", secretAccessKey: "s3cret+/")
        configuration.endpoint = "http://host:9000"
        change(&configuration)
        return try S3Store(bucket: "bucket", prefix: "pre fix", configuration, self, clock)
    }

    static func error(_ status: Int, _ code: String, _ message: String = "words") -> Answer {
        Answer(status: status, body: "<Error><Code>\(code)</Code><Message>\(message)</Message></Error>")
    }
}
