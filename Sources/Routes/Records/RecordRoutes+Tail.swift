import HTTP
import StorageEngine

extension RecordRoutes {
    /// A stream of server-sent events that begins where a read would and goes on with what comes.
    func tail(_ request: Request, _ log: Log, _ query: QueryReader) throws -> Reply {
        let lastEventID = request.field("Last-Event-ID")
        if lastEventID == TailStart.doneID { return .now(.noContent) }
        let read = try ReadQuery(query)
        let after = try AfterPositions(query, services, log: log)
        let start = try TailStart(query, read, lastEventID: lastEventID, log)
        return try services.reply(to: request, after: after) { [services] _ in
            let source = TailSource(log, start, limit: read.limit, services)
            var response = Response(
                status: 200, contentType: PageForm.events.rawValue,
                fields: [HeaderField("Cache-Control", "no-store"), HeaderField("X-Accel-Buffering", "no")],
                body: .stream(source))
            response.mayBeCompressed = false
            return response
        }
    }
}
