import HTTP
import Platform
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
        let bytesMax = writtenBytesMax + members.utf8.count + lastMembers.utf8.count
        let body = [UInt8](bytesMax: bytesMax) { text in
            text.write("{")
            text.write(text: members)
            text.write("\"partition\":")
            text.write(decimal: result.revision.partition)
            text.write(",\"offset\":")
            text.write(decimal: Int(result.revision.offset.rawValue))
            text.write(",\"revision\":\"")
            result.revision.write(to: &text)
            text.write("\",\"ack\":{\"requested\":\"")
            text.write(text: result.requested.rawValue)
            text.write("\",\"achieved\":\"")
            text.write(text: result.achieved.rawValue)
            text.write("\"}")
            text.write(text: lastMembers)
            text.write("}\n")
        }
        let lines = FieldLines(bytesMax: fieldBytesMax) { text in
            writeFields(of: result, to: &text)
            text.write("\r\nETag: ")
            result.revision.writeEntityTag(to: &text)
        }
        return Response(status: status, contentType: "application/json", lines: lines, body: .bytes(body))
    }

    /// The answer of a write that has nothing to say beyond its fields.
    static func written(withoutBody result: PutResult) -> Response {
        Response(
            status: 204, lines: FieldLines(bytesMax: fieldBytesMax) { writeFields(of: result, to: &$0) })
    }

    /// The fixed text of the answer (85 bytes), two numbers, a revision and two levels of acknowledgement.
    private static let writtenBytesMax = 192
    /// The names (75 bytes), two revisions, a level of acknowledgement.
    private static let fieldBytesMax = 192

    private static func writeFields(of result: PutResult, to text: inout TextCursor) {
        text.write("\r\nPyralog-Revision: ")
        result.revision.write(to: &text)
        text.write("\r\nPyralog-Ack: ")
        text.write(text: result.achieved.rawValue)
        text.write("\r\nCache-Control: no-store")
    }
}
