import HTTP
import JSON
import StorageEngine

extension Response {
    static func appended(_ result: AppendResult) -> Response { appended(AppendSummary(result)) }

    /// `{"count", "ranges", "ack"}`: 201, or 200 for a producer's repeated call.
    static func appended(_ summary: AppendSummary) -> Response {
        var json = JSONWriter()
        json.object { json in
            json.member("count", summary.count)
            json.key("ranges")
            json.array { json in
                for range in summary.ranges {
                    json.object { json in
                        json.member("partition", range.partition)
                        json.member("start", range.start.rawValue)
                        json.member("end", range.end.rawValue)
                    }
                }
            }
            json.key("ack")
            json.object { json in
                json.member("requested", summary.requested.rawValue)
                json.member("achieved", summary.achieved.rawValue)
            }
        }
        return Response(
            status: summary.isDuplicate ? 200 : 201, contentType: "application/json",
            fields: [
                HeaderField("Pyralog-Ack", summary.achieved.rawValue),
                HeaderField("Cache-Control", "no-store"),
            ],
            body: .bytes(json.finish()))
    }
}
