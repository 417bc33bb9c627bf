import HTTP
import JSON

extension Response {
    /// A JSON answer, which ends in a newline and is never cached.
    static func json(_ value: JSONValue, status: Int = 200, fields: [HeaderField] = []) -> Response {
        var writer = JSONWriter()
        writer.value(value)
        return json(writer, status: status, fields: fields)
    }

    static func json(
        _ writer: consuming JSONWriter, status: Int = 200, fields: [HeaderField] = []
    ) -> Response {
        Response(
            status: status, contentType: "application/json",
            fields: fields + [HeaderField("Cache-Control", "no-store")], body: .bytes(writer.finish()))
    }

    static let noContent = Response(status: 204, fields: [HeaderField("Cache-Control", "no-store")])
}
