import Platform

@testable import HTTP

/// A small table whose handlers answer what they understood.
enum EchoRoutes {
    static let patterns: [(Method, String)] = [
        (.get, "/"), (.get, "/v1/logs"), (.get, "/v1/logs/{log}"), (.put, "/v1/logs/{log}"),
        (.post, "/v1/logs/{log}/records"), (.post, "/v1/logs/{log}/records:batch"),
        (.get, "/v1/logs/{log}/keys/{key}"), (.put, "/v1/logs/{log}/keys/{key}"),
        (.post, "/v1/logs/{log}/keys/{key}:increment"), (.post, "/v1/snapshots/{id}:restore"),
    ]

    static func router() -> Router {
        Router(
            routes: patterns.map { method, pattern in
                Route(
                    method, pattern, body: { _ in .buffered(limit: 1000, what: "test body") },
                    { request in .now(Response(status: 200, body: .bytes(understood(request)))) })
            }, problem: problem)
    }

    /// `pattern|parameter|parameter|body`.
    static func understood(_ request: Request) -> [UInt8] {
        var text = Array(request.routePattern.utf8)
        for parameter in request.parameters { text += [UInt8(ascii: "|")] + parameter }
        return text + [UInt8(ascii: "|")] + request.body.array
    }

    @Sendable static func problem(_ error: any Error, _ request: Request?) -> Response {
        var response = Response(status: status(of: error), body: .bytes(Array("\(error)".utf8)))
        if case HTTPFailure.overloaded(_, let seconds) = error {
            response.fields.append(HeaderField("Retry-After", String(seconds)))
        }
        return response
    }

    private static func status(of error: any Error) -> Int {
        guard let failure = error as? HTTPFailure else { return 500 }
        return switch failure {
        case .badFraming, .badPercentEncoding, .badPath, .malformedContentCoding: 400
        case .unknownTransferEncoding: 501
        case .routeNotFound: 404
        case .methodNotAllowed: 405
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .headersTooLarge: 431
        case .unsupportedContentCoding: 415
        case .bodyTimeout: 408
        case .misdirected: 421
        case .originForbidden: 403
        case .overloaded, .shuttingDown: 503
        case .deadlinePassed: 504
        }
    }
}
