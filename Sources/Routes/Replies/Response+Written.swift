import HTTP
import StorageEngine

extension Response {
    /// `{"partition", "offset", "revision", "ack"}`, the answer of a write to a key.
    ///
    /// - Parameter members: JSON members that come first, each followed by a comma.
    static func written(
        _ result: PutResult, status: Int, members: String = "", lastMembers: String = ""
    ) -> Response {
        let revision = result.revision.fieldText
        var body: [UInt8] = []
        body.reserveCapacity(160)
        body.append(contentsOf: "{".utf8)
        body.append(contentsOf: members.utf8)
        body.append(contentsOf: "\"partition\":".utf8)
        body.append(contentsOf: String(result.revision.partition).utf8)
        body.append(contentsOf: ",\"offset\":".utf8)
        body.append(contentsOf: String(result.revision.offset.rawValue).utf8)
        body.append(contentsOf: ",\"revision\":\"".utf8)
        body.append(contentsOf: revision.utf8)
        body.append(contentsOf: "\",\"ack\":{\"requested\":\"".utf8)
        body.append(contentsOf: result.requested.rawValue.utf8)
        body.append(contentsOf: "\",\"achieved\":\"".utf8)
        body.append(contentsOf: result.achieved.rawValue.utf8)
        body.append(contentsOf: "\"}".utf8)
        body.append(contentsOf: lastMembers.utf8)
        body.append(contentsOf: "}\n".utf8)
        var fields = writtenFields(result, revision: revision)
        fields.append(HeaderField("ETag", result.revision.entityTag))
        return Response(status: status, contentType: "application/json", fields: fields, body: .bytes(body))
    }

    static func writtenFields(_ result: PutResult) -> [HeaderField] {
        writtenFields(result, revision: result.revision.fieldText)
    }

    private static func writtenFields(_ result: PutResult, revision: String) -> [HeaderField] {
        [
            HeaderField("Pyralog-Revision", revision),
            HeaderField("Pyralog-Ack", result.achieved.rawValue),
            HeaderField("Cache-Control", "no-store"),
        ]
    }
}
