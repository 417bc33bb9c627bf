import HTTP
import StorageEngine

extension Response {
    /// `{"partition", "offset", "revision", "ack"}`, the answer of a write to a key.
    ///
    /// - Parameters:
    ///   - members: JSON members that come first, each followed by a comma.
    ///   - lastMembers: JSON members that come last, each after a comma.
    static func written(
        _ result: PutResult, status: Int, members: String = "", lastMembers: String = ""
    ) -> Response {
        let revision = result.revision.fieldText
        let body = [UInt8](
            unsafeUninitializedCapacity: writtenBytesMax + members.utf8.count + lastMembers.utf8.count
        ) { buffer, count in
            var text = TextCursor(buffer)
            text.write("{")
            text.write(members)
            text.write("\"partition\":")
            text.write(decimal: result.revision.partition)
            text.write(",\"offset\":")
            text.write(decimal: Int(result.revision.offset.rawValue))
            text.write(",\"revision\":\"")
            text.write(revision)
            text.write("\",\"ack\":{\"requested\":\"")
            text.write(result.requested.rawValue)
            text.write("\",\"achieved\":\"")
            text.write(result.achieved.rawValue)
            text.write("\"}")
            text.write(lastMembers)
            text.write("}\n")
            count = text.count
        }
        var fields = writtenFields(result, revision: revision)
        fields.append(HeaderField("ETag", result.revision.entityTag))
        return Response(status: status, contentType: "application/json", fields: fields, body: .bytes(body))
    }

    /// The fixed text of the answer (85 bytes), two numbers, a revision and two levels of acknowledgement.
    private static let writtenBytesMax = 192

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
