import HTTP
import Platform
import SQL

/// The answer of one query: from the pipe to the reply, whichever of the two ends first.
final class SQLAnswer: Sendable {
    private let services: Services
    private let query: Query
    private let wait: WaitHandle

    /// - Parameter reply: is completed once it is known what becomes of the query.
    init(_ asked: Query.Request, _ services: Services, _ reply: LateReply) {
        let wait = WaitHandle()
        self.wait = wait
        self.services = services
        query = services.sql.add(asked, waitMilliseconds: RouteLimits.afterWaitMilliseconds) { query, head in
            // Whoever decided: nobody waits for records any more.
            wait.cancel()
            reply.complete(Self.response(query, head))
        }
    }

    /// Begins once all positions are visible.
    func begin(after: AfterPositions) {
        let begin: @Sendable () -> Void = { [services, query] in services.sql.begin(query) }
        if let visibility = Visibility.wait(for: after, whenVisible: begin) {
            wait.set(visibility)
        } else {
            begin()
        }
    }

    func cancel(_ why: String) {
        wait.cancel()
        _ = services.sql.cancel(query.identifier, why: why)
    }

    private static func response(_ query: Query, _ head: ResultPipe.Head) -> Response {
        let identifier = HeaderField("Pyralog-Query-Id", query.identifier)
        let format = query.request.format
        let body: ResponseBody
        switch head {
        case .failure(let failure):
            var response = Problem(failure).response
            response.fields.append(identifier)
            return response
        case .complete(let bytes): body = .bytes(bytes)
        case .streaming: body = .stream(ResultSource(query))
        }
        return Response(
            status: 200, contentType: format.contentType, fields: [.noStore, identifier], body: body)
    }
}
