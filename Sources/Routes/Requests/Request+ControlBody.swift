import HTTP
import JSON
import Platform

extension Request {
    /// The JSON of a control body; a missing type, or the one that `curl -d` sends, counts as JSON.
    ///
    /// - Parameter whenEmpty: what no body means; nil: it is refused.
    /// - Throws: `unsupported_media_type`, `invalid_json`.
    func controlBody(whenEmpty: JSONValue? = nil) throws -> JSONValue {
        try requireJSONType()
        if body.count == 0, let whenEmpty { return whenEmpty }
        return try ControlJSON.parse(body.bytes)
    }

    /// - Throws: `unsupported_media_type`.
    func requireJSONType() throws(Problem) {
        guard let text = field("Content-Type"), !text.isEmpty else { return }
        let type = try MediaType(text)
        guard type.isJSON || type.isForm else {
            throw .unsupportedMediaType("\(Problem.quoted(text)) is not JSON", accepts: "application/json")
        }
    }

    static let patchTypes = "application/merge-patch+json, application/json"

    /// A JSON merge patch, and not a JSON Patch (RFC 6902), which is JSON as well.
    ///
    /// - Throws: `unsupported_media_type` with `Accept-Patch`.
    func requirePatchType() throws(Problem) {
        guard let text = field("Content-Type"), !text.isEmpty else { return }
        do throws(Problem) {
            let type = try MediaType(text)
            let isPatch = ["application/merge-patch+json", "application/json"].contains(type.essence)
            guard isPatch || type.isForm else {
                throw .unsupportedMediaType("\(Problem.quoted(text)) is not a JSON merge patch (RFC 7396)")
            }
        } catch {
            throw error.with { $0.fields = [.acceptPatch(Self.patchTypes)] }
        }
    }
}
