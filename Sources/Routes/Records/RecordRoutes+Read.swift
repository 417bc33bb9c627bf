import HTTP
import StorageEngine

extension RecordRoutes {
    /// A larger page goes out as a stream.
    private static let pageBytesMax = 256 * 1024

    /// One page, at once or when there is one; or a stream of events without an end.
    func read(_ request: Request) throws -> Reply {
        let log = try services.existingLog(request)
        let query = try QueryReader(request, allowed: ReadQuery.parameters)
        let form = try Self.form(request)
        if form == .events { return try tail(request, log, query) }
        let partition = try Self.partition(query, of: log)
        let read = try ReadQuery(query)
        if form == .raw, read.limit != 1 {
            throw Problem.invalidArgument(
                "limit", "must be 1 for application/octet-stream, which is one value")
        }
        let after = try AfterPositions(query, services, log: log)
        if !after.positions.isEmpty, !after.positions.allSatisfy(Visibility.isVisible) {
            return try services.reply(to: request, after: after) {
                Self.response(try read.read(log, partition: partition, archived: $0), form, log)
            }
        }
        guard let result = try Self.readWithoutWaiting(read, log, partition) else {
            return try services.reply(fetchingTo: request) {
                Self.response(try read.read(log, partition: partition, archived: .fetched), form, log)
            }
        }
        guard result.records.isEmpty, read.waitMilliseconds > 0, request.method != .head else {
            return .now(Self.response(result, form, log))
        }
        let poll = LongPoll(log, partition: partition, read, from: result.next) {
            Self.response($0, form, log)
        }
        return poll.reply(to: request, services)
    }

    /// Nil when something has to come from the archive.
    private static func readWithoutWaiting(
        _ read: ReadQuery, _ log: Log, _ partition: Int
    ) throws -> ReadResult? {
        do {
            return try read.read(log, partition: partition, archived: .refused)
        } catch EngineError.archived {
            return nil
        }
    }

    private static func form(_ request: Request) throws -> PageForm {
        guard request.hasField("Accept") else { return .json }
        let chosen = try Accept(request).choose(PageForm.allCases.map(\.rawValue))
        return PageForm(rawValue: chosen) ?? .json
    }

    private static func response(_ result: ReadResult, _ form: PageForm, _ log: Log) -> Response {
        if form == .raw { return raw(result, log) }
        let bytes = result.records.reduce(0) { $0 + $1.value.count + $1.keyView.count }
        let body: ResponseBody
        if bytes <= pageBytesMax {
            // Half as much again for names and figures: about 64 bytes a record.
            let text = PageText(result, form, capacity: bytes + 96 * result.records.count + 96)
            body = .bytes(text.finish())
        } else {
            body = .stream(PageSource(result, form))
        }
        return Response(
            status: 200, contentType: form.rawValue, fields: [HeaderField("Cache-Control", "no-store")],
            body: body)
    }

    /// The value of the one record as it was sent; 204 when there is none.
    private static func raw(_ result: ReadResult, _ log: Log) -> Response {
        guard let record = result.records.first else { return .noContent }
        return Response(
            status: 200, contentType: PageForm.raw.rawValue,
            fields: [
                HeaderField("Pyralog-Revision", record.revision(in: log).fieldText),
                HeaderField("Cache-Control", "no-store"),
            ],
            body: .pinned(.init(record.value, owner: record.owner)))
    }
}
