import HTTPClient
import JSON

/// A server as the command-line client sees it.
struct ServerConnection {
    let base: String
    let token: String?
    let http: ClientConnection

    /// - Parameters:
    ///   - path: segments, not yet encoded; a verb may follow the last one raw.
    ///   - query: names and values, not yet encoded; those without a value are left out.
    func request(
        _ method: String, _ path: [String], query: [(String, String?)] = [],
        fields: [(name: String, value: String)] = []
    ) -> ClientRequest {
        var url = base
        while url.hasSuffix("/") { url.removeLast() }
        for segment in path { url += "/" + PercentEncoding.encode(Array(segment.utf8)) }
        let given = query.compactMap { name, value in
            value.map { "\(name)=\(PercentEncoding.encode(Array($0.utf8)))" }
        }
        if !given.isEmpty { url += "?" + given.joined(separator: "&") }
        var request = ClientRequest(method, url)
        request.fields = fields
        if let token { request.fields.append(("Authorization", "Bearer \(token)")) }
        return request
    }

    /// Sends, collects the answer, and takes anything but a 2xx for a failure.
    func fetch(_ request: ClientRequest) throws -> (response: ClientResponse, body: [UInt8]) {
        let (response, body) = try http.send(request)
        guard (200..<300).contains(response.status) else {
            throw ServerProblem(status: response.status, body: body)
        }
        return (response, body)
    }

    /// The same, for an answer in JSON.
    func fetchJSON(_ request: ClientRequest) throws -> JSONValue {
        let (_, body) = try fetch(request)
        return try body.withUnsafeBytes { bytes throws(JSONFailure) in try ControlJSON.parse(bytes) }
    }
}
